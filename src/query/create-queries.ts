/**
 * Everything that is asked of the engine, bound to its adapters: what `src/api.ts` hands to the routes.
 */
import type { ScoreListParameters, TransactionListParameters } from '../domain/list-parameters.ts';
import type * as DailySummaries from '../store/daily-summaries.ts';
import type * as DeadLetterSearch from '../store/dead-letter-search.ts';
import type * as IngestBatches from '../store/ingest-batches.ts';
import type * as MonthSlices from '../store/month-slice.ts';
import type * as PartyActivity from '../store/party-activity.ts';
import type * as ScoreSearch from '../store/score-search.ts';
import type * as Totals from '../store/totals.ts';
import type * as TransactionSearch from '../store/transaction-search.ts';
import type { Databases } from './choose-database.ts';
import { SUMMARY_DAYS_MAX, type SummaryCache, summarizeDays } from './daily-summaries.ts';
import {
  type DeadLetterCommand,
  type DeadLetterCommandDependencies,
  purgeDeadLetters,
  replayDeadLetters,
} from './dead-letter-commands.ts';
import {
  type DeadLetterListParameters,
  groupDeadLetters,
  readDeadLetter,
  searchDeadLetters,
} from './dead-letters.ts';
import { type ExplainScoreDependencies, explainScore } from './explain-score.ts';
import { readPartyProfile } from './party-profile.ts';
import {
  createTotals,
  type PipelineStatusDependencies,
  readPipelineStatus,
} from './pipeline-status.ts';
import { findScore, readScore, type ScoreCache } from './read-score.ts';
import { readTransaction } from './read-transaction.ts';
import { searchScores } from './search-scores.ts';
import { searchTransactions } from './search-transactions.ts';

/** Bounds of the two caches: scores by id (about 1 KiB each) never change; sums by day have a time to live. */
export const SCORE_CACHE_ENTRIES = 10_000;
export const SUMMARY_CACHE_DAYS = SUMMARY_DAYS_MAX * 2;

export type QueryAdapters = {
  readonly databases: Databases;
  /** The reading half of the store: these modules, spread into one value. */
  readonly store: typeof DailySummaries &
    typeof DeadLetterSearch &
    Pick<typeof IngestBatches, 'openIngestBatch' | 'deleteIngestBatches'> &
    typeof MonthSlices &
    typeof PartyActivity &
    typeof ScoreSearch &
    typeof Totals &
    typeof TransactionSearch;
  readonly measureStreams: PipelineStatusDependencies['measureStreams'];
  readonly explain: ExplainScoreDependencies['explain'];
  readonly tryAppend: DeadLetterCommandDependencies['tryAppend'];
  readonly caches: { readonly scores: ScoreCache; readonly summaries: SummaryCache };
  readonly newBatchId: () => string;
  readonly countCache: (cache: 'scores' | 'summaries', hit: boolean) => void;
};

export type Queries = ReturnType<typeof createQueries>;

export function createQueries(adapters: QueryAdapters) {
  const { databases, store } = adapters;
  const { primary, now } = databases;
  const reads = {
    ...adapters,
    ...store,
    cache: adapters.caches.scores,
  };
  const summaries = { ...reads, cache: adapters.caches.summaries };
  const profiles = {
    ...reads,
    activityRowsMax: store.ACTIVITY_ROWS_MAX,
    activityWindowsHours: store.ACTIVITY_WINDOWS_HOURS,
  };
  const status = { ...reads, countTotals: createTotals({ databases, countRows: store.countRows }) };
  const deadLetters = { database: primary, store };
  const commands = { ...reads, ...deadLetters, now };
  return {
    readTransaction: (id: string) => readTransaction(reads, id),
    searchTransactions: (parameters: TransactionListParameters) =>
      searchTransactions(reads, parameters),
    /** The score if it is stored. */
    findScore: (id: string) => findScore(reads, id),
    readScore: (id: string) => readScore(reads, id),
    explainScore: (id: string) => explainScore(reads, id),
    searchScores: (parameters: ScoreListParameters) => searchScores(reads, parameters),
    readAccountProfile: (id: string, atMs = now()) =>
      readPartyProfile(profiles, 'account', id, atMs),
    readMerchantProfile: (id: string, atMs = now()) =>
      readPartyProfile(profiles, 'merchant', id, atMs),
    summarizeDays: (days: readonly number[], corridor: string | undefined) =>
      summarizeDays(summaries, days, corridor),
    readStatus: () => readPipelineStatus(status),
    searchDeadLetters: (parameters: DeadLetterListParameters) =>
      searchDeadLetters(deadLetters, parameters),
    readDeadLetter: (id: string) => readDeadLetter(deadLetters, id),
    groupDeadLetters: () => groupDeadLetters(deadLetters),
    replayDeadLetters: (command: DeadLetterCommand) => replayDeadLetters(commands, command),
    purgeDeadLetters: (command: DeadLetterCommand) => purgeDeadLetters(commands, command),
  };
}
