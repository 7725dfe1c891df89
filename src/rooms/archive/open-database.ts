/** Opens the database for commands of archives: with time to read whole tables, and texts that no setting of the server changes. */
import { ownerUrl } from '../../kit/command/stores.ts';
import type { Config } from '../../kit/config/config.ts';
import { openDatabase } from '../../kit/database/open-database.ts';
import type { Database } from '../../kit/database/pool.ts';
import { DAY_MS } from '../../kit/words/range.ts';

/**
 * A statement may copy a whole table, and waits meanwhile for the files: 150,000 payments took 11 s. Larger: a hanging statement is
 * noticed later; smaller: a large table cannot be archived.
 */
const STATEMENT_MS_MAX = DAY_MS;
const LOCK_WAIT_MS = 10_000;

/** @param lockTimeoutMs time for which other statements may queue behind one that waits for a lock */
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
