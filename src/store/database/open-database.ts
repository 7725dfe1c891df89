/** Opens a pool by the process's configuration, for every role and command. */
import type { Config } from '../../runtime/config.ts';
import { type Database, openPool, type PoolOptions } from './pool.ts';

/** @param more options that differ for the role */
export function openDatabase(
  config: Config,
  url: string,
  role: string,
  more: Partial<PoolOptions> = {},
): Database {
  return openPool({
    url,
    market: config.RISK_MARKET,
    role,
    connectionsMax: config.RISK_DATABASE_CONNECTIONS_MAX,
    connectTimeoutMs: config.RISK_CONNECT_TIMEOUT_MS,
    statementTimeoutMs: config.RISK_STATEMENT_TIMEOUT_MS,
    namedStatements: config.RISK_DATABASE_POOLER === 'none',
    isPooled: config.RISK_DATABASE_POOLER === 'transaction',
    ...more,
  });
}
