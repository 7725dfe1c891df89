/** Binds what analysts ask to its adapters. */
import { LRUCache } from 'lru-cache';
import type { Databases } from '../../query/choose-database.ts';
import type { ModelShelf } from '../../query/model-shelf.ts';
import { createReading, type Reading } from '../../query/reading.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { explain } from '../../scoring/explain.ts';
import { findRuleSet } from '../../scoring/rule-sets.ts';
import { readDays } from '../../store/day-tallies.ts';
import { listWalkedMonths } from '../../store/month-slice.ts';
import { refuseDetached } from '../../store/partitions.ts';
import {
  ACTIVITY_ROWS_MAX,
  ACTIVITY_WINDOWS_HOURS,
  readActivity,
} from '../../store/party-activity.ts';
import { readScoreRecord, readStoredScore, searchStoredScores } from '../../store/score-search.ts';
import { readStoredTransaction, searchStoredTransactions } from '../../store/transaction-search.ts';
import { listWatchReports } from '../../store/watch-reports.ts';

/** Scores kept in memory, about 1 KiB each: a stored score never changes. */
const SCORE_CACHE_ENTRIES = 20_000;

export type ReadingAdapters = {
  readonly databases: Databases;
  readonly shelf: ModelShelf;
  readonly metrics: Metrics;
};

export function bindReading({ databases, shelf, metrics }: ReadingAdapters): Reading {
  return createReading({
    databases,
    readStoredScore,
    readStoredTransaction,
    readScoreRecord,
    listWalkedMonths,
    refuseDetached,
    searchStoredScores,
    searchStoredTransactions,
    readActivity,
    activityRowsMax: ACTIVITY_ROWS_MAX,
    activityWindowsHours: ACTIVITY_WINDOWS_HOURS,
    readDays,
    listWatchReports,
    scoreCache: new LRUCache({ max: SCORE_CACHE_ENTRIES }),
    countCache: (cache, hit) => (hit ? metrics.cacheHits : metrics.cacheMisses).inc({ cache }),
    async explainModel(name, vector, method) {
      const found = await shelf(name);
      return 'model' in found ? found.model.explain(vector, method) : found.problem;
    },
    explain: (record) => {
      const ruleSet = findRuleSet(record.ruleSet);
      return ruleSet && explain(record, ruleSet);
    },
  });
}
