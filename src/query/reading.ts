/** What analysts ask, bound once to its adapters: the functions that routes and `Prefer: wait` use. */
import type { ExplanationMethod } from '../domain/explanation.ts';
import type { ScoreListParameters, TransactionListParameters } from '../domain/list-parameters.ts';
import type { Databases } from './choose-database.ts';
import { type SummarizeDependencies, type SummaryDays, summarizeDays } from './daily-summaries.ts';
import { type ExplainScoreDependencies, explainScore } from './explain-score.ts';
import {
  type ModelWatchDependencies,
  type ModelWatchParameters,
  readModelWatch,
} from './model-watch.ts';
import { type PartyProfileDependencies, readPartyProfile } from './party-profile.ts';
import { findScore, type ReadScoreDependencies, readScore } from './read-score.ts';
import { readTransaction } from './read-transaction.ts';
import { type SearchScoresDependencies, searchScores } from './search-scores.ts';
import { searchTransactions } from './search-transactions.ts';

export type ReadingAdapters = ExplainScoreDependencies &
  SearchScoresDependencies &
  PartyProfileDependencies &
  ModelWatchDependencies &
  Omit<ReadScoreDependencies, 'cache' | 'countCache'> &
  SummarizeDependencies & {
    readonly scoreCache: ReadScoreDependencies['cache'];
    readonly countCache: (cache: 'scores', hit: boolean) => void;
  };

export type Reading = ReturnType<typeof createReading>;

/** An answer; `ageMs` is how far it may lag where a replica gave a part of it. */
export type Aged<T> = { readonly answer: T; readonly ageMs: number | undefined };

export function createReading({ databases, ...stores }: ReadingAdapters) {
  const { now } = databases;
  const scores = { ...stores, cache: stores.scoreCache };
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
    findScore: (id: string) => findScore({ ...scores, databases }, id, null),
    readScore: (id: string, client: string | null) =>
      aged((databases) => readScore({ ...scores, databases }, id, client)),
    explainScore: (id: string, method: ExplanationMethod) =>
      aged((databases) => explainScore({ ...stores, databases }, id, method)),
    searchScores: (parameters: ScoreListParameters) =>
      aged((databases) => searchScores({ ...stores, databases }, parameters)),
    readTransaction: (id: string, client: string | null) =>
      aged((databases) => readTransaction({ ...stores, databases }, id, client)),
    searchTransactions: (parameters: TransactionListParameters) =>
      aged((databases) => searchTransactions({ ...stores, databases }, parameters)),
    readAccountProfile: (id: string, atMs = now()) =>
      aged((databases) => readPartyProfile({ ...stores, databases }, 'account', id, atMs)),
    readMerchantProfile: (id: string, atMs = now()) =>
      aged((databases) => readPartyProfile({ ...stores, databases }, 'merchant', id, atMs)),
    readModelWatch: (parameters: ModelWatchParameters) =>
      aged((databases) => readModelWatch({ ...stores, databases }, parameters)),
    summarizeDays: (days: SummaryDays, corridor: string | undefined) =>
      aged((databases) => summarizeDays({ ...stores, databases }, days, corridor)),
  };
}
