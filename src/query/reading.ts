/** What analysts ask, bound once to its adapters: the functions that routes and `Prefer: wait` use. */
import { LRUCache } from 'lru-cache';
import type { ExplanationMethod } from '../domain/explanation.ts';
import type { LabelListParameters } from '../domain/label-list.ts';
import type { ScoreListParameters, TransactionListParameters } from '../domain/list-parameters.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { Databases } from './choose-database.ts';
import { summarizeDays } from './daily-summaries.ts';
import { explainScore } from './explain-score.ts';
import type { ModelCache } from './model-cache.ts';
import { type ModelWatchParameters, readModelWatch } from './model-watch.ts';
import { readPartyProfile } from './party-profile.ts';
import { findScore, readScore, type ScoreCache } from './read-score.ts';
import { addLabels, readTransaction } from './read-transaction.ts';
import { searchLabels } from './search-labels.ts';
import { searchScores } from './search-scores.ts';
import { searchTransactions } from './search-transactions.ts';
import type { SummaryDays, SummaryParameters } from './summary-parameters.ts';
import type { TransactionParameters } from './transaction-json.ts';

/** Scores kept in memory, about 1 KiB each: a stored score never changes. */
const SCORE_CACHE_ENTRIES = 20_000;

export type Reading = ReturnType<typeof createReading>;

/** An answer; `ageMs` is how far it may lag where a replica gave a part of it. */
export type Aged<T> = { readonly answer: T; readonly ageMs: number | undefined };

export function createReading(
  databases: Databases,
  modelCache: ModelCache,
  metrics: Pick<Metrics, 'cacheHits' | 'cacheMisses'>,
) {
  const { now } = databases;
  const cache: ScoreCache = new LRUCache({ max: SCORE_CACHE_ENTRIES });
  const countCache = (name: 'scores', hit: boolean) =>
    (hit ? metrics.cacheHits : metrics.cacheMisses).inc({ cache: name });
  /** Runs one request, whose age is that of its oldest read. */
  const aged = async <T>(read: (databases: Databases) => Promise<T>): Promise<Aged<T>> => {
    let oldestMs: number | undefined;
    const noteAge = (ageMs: number) => {
      oldestMs = Math.max(oldestMs ?? 0, ageMs);
    };
    const answer = await read({ ...databases, noteAge });
    return { answer, ageMs: oldestMs };
  };
  return {
    now,
    /** Finds a score of any client, for a caller that knows the id to be its own. */
    findScore: (id: string) => findScore({ databases, cache, countCache }, id, null),
    readScore: (id: string, client: string | null) =>
      aged((databases) => readScore({ databases, cache, countCache }, id, client)),
    explainScore: (id: string, method: ExplanationMethod) =>
      aged((databases) => explainScore(databases, modelCache, id, method)),
    searchScores: (parameters: ScoreListParameters) =>
      aged((databases) => searchScores(databases, parameters)),
    readTransaction: (id: string, client: string | null, parameters: TransactionParameters) =>
      aged(async (databases) => {
        const found = await readTransaction(databases, id, client);
        if (found === undefined || parameters.expand === undefined) return found;
        return await addLabels(databases, found, client);
      }),
    searchLabels: (parameters: LabelListParameters, client: string | null) =>
      aged((databases) => searchLabels(databases, parameters, client)),
    searchTransactions: (parameters: TransactionListParameters) =>
      aged((databases) => searchTransactions(databases, parameters)),
    readAccountProfile: (id: string, atMs = now()) =>
      aged((databases) => readPartyProfile(databases, 'account', id, atMs)),
    readMerchantProfile: (id: string, atMs = now()) =>
      aged((databases) => readPartyProfile(databases, 'merchant', id, atMs)),
    readModelWatch: (parameters: ModelWatchParameters) =>
      aged((databases) => readModelWatch(databases, parameters)),
    summarizeDays: (days: SummaryDays, parameters: SummaryParameters) =>
      aged((databases) => summarizeDays(databases, days, parameters)),
  };
}
