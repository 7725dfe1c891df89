/** A pool by the process's configuration: what every role and command opens. */
import type { Config } from '../runtime/config.ts';
import { searchPath } from './migration-session.ts';
import { type Database, openPool, type PoolOptions } from './pool.ts';

/** @param more what the role wants otherwise */
export function openDatabase(
  config: Config,
  url: string,
  role: string,
  more: Partial<PoolOptions> = {},
): Database {
  return openPool({
    url,
    role,
    connectionsMax: config.RISK_DATABASE_CONNECTIONS_MAX,
    connectTimeoutMs: config.RISK_CONNECT_TIMEOUT_MS,
    statementTimeoutMs: config.RISK_STATEMENT_TIMEOUT_MS,
    ...(config.RISK_DATABASE_POOLER === 'none'
      ? { namedStatements: true }
      : { namedStatements: false, pooledSearchPath: searchPath(config.RISK_MARKET) }),
    ...more,
  });
}
