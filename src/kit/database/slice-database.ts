/** The connections that read slices of searches. */
import type { Config } from '../config/config.ts';
import { openDatabase } from './open-database.ts';
import type { Database, PoolOptions } from './pool.ts';

/** A page is to be there within 300 ms, also where nothing of it is in memory, and has its rows to read after the walk. */
export const WALK_MS_MAX = 200;
/** A statement of a slice takes so long at most. */
export const SLICE_MS_MAX = 5 * WALK_MS_MAX;

/**
 * A slice follows an index and ends after its first rows. Where Postgres has no statistics, as of a month whose rows have just
 * arrived, it expects next to none and sorts all of them for each slice: 480 ms a page in place of 4 for an account of 400,000.
 */
export const SLICE_SETTINGS = { enable_sort: 'off' };

/** Longer than a person reads a page: a new connection has to read the catalog of all months anew. */
const IDLE_MS_MAX = 5 * 60 * 1000;

export function openSliceDatabase(
  config: Config,
  url: string,
  guard: NonNullable<PoolOptions['guard']>,
  more: Pick<PoolOptions, 'setting'> = {},
): Database {
  return openDatabase(config, url, 'api-searches', {
    statementTimeoutMs: Math.min(SLICE_MS_MAX, config.RISK_STATEMENT_TIMEOUT_MS),
    idleTimeoutMs: IDLE_MS_MAX,
    settings: SLICE_SETTINGS,
    guard,
    ...more,
  });
}
