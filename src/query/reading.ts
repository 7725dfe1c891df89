/** What analysts ask, bound once to its adapters: what the routes and `Prefer: wait` are given. */
import type { ExplanationMethod } from '../domain/explanation.ts';
import type { ScoreListParameters, TransactionListParameters } from '../domain/list-parameters.ts';
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

export function createReading(adapters: ReadingAdapters) {
  const { now } = adapters.databases;
  const scores = { ...adapters, cache: adapters.scoreCache };
  return {
    now,
    /** For who knows the id as its own. */
    findScore: (id: string) => findScore(scores, id, null),
    readScore: (id: string, client: string | null) => readScore(scores, id, client),
    explainScore: (id: string, method: ExplanationMethod) => explainScore(adapters, id, method),
    searchScores: (parameters: ScoreListParameters) => searchScores(adapters, parameters),
    readTransaction: (id: string, client: string | null) => readTransaction(adapters, id, client),
    searchTransactions: (parameters: TransactionListParameters) =>
      searchTransactions(adapters, parameters),
    readAccountProfile: (id: string, atMs = now()) =>
      readPartyProfile(adapters, 'account', id, atMs),
    readMerchantProfile: (id: string, atMs = now()) =>
      readPartyProfile(adapters, 'merchant', id, atMs),
    readModelWatch: (parameters: ModelWatchParameters) => readModelWatch(adapters, parameters),
    summarizeDays: (days: SummaryDays, corridor: string | undefined) =>
      summarizeDays(adapters, days, corridor),
  };
}
