/** The database as commands of archives open it: statements that read whole tables, and texts that never depend on the server. */
import { ownerUrl } from '../../kit/command/stores.ts';
import type { Config } from '../../kit/config/config.ts';
import { openDatabase } from '../../kit/database/open-database.ts';
import type { Database } from '../../kit/database/pool.ts';

/** A statement reads a whole table, and the last one all of them behind locks. */
const STATEMENT_MS_MAX = 3_600_000;
const LOCK_WAIT_MS = 10_000;

/** @param lockTimeoutMs how long others may queue behind a statement that waits for a lock */
export const openArchiveDatabase = (
  config: Config,
  market: string,
  lockTimeoutMs = LOCK_WAIT_MS,
): Database =>
  openDatabase({ ...config, RISK_MARKET: market }, ownerUrl(config), 'archive', {
    connectionsMax: 1,
    statementTimeoutMs: STATEMENT_MS_MAX,
    lockTimeoutMs,
    namedStatements: false,
    settings: { timezone: 'UTC', datestyle: 'ISO', bytea_output: 'hex', extra_float_digits: '1' },
  });
