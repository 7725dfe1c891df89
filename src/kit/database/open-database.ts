/** Opens a pool by the process's configuration, for every role and command. */
import type { Config } from '../config/config.ts';
import { PROBES, poolSize } from './count-connections.ts';
import { type Database, openPool, type PoolOptions } from './pool.ts';

/** Deadline of the probe's statements; the probe itself is given up earlier. */
const PROBE_MS = 2000;

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
    connectionsMax: poolSize(config, role) ?? config.RISK_DATABASE_CONNECTIONS_MAX,
    connectTimeoutMs: config.RISK_CONNECT_TIMEOUT_MS,
    statementTimeoutMs: config.RISK_STATEMENT_TIMEOUT_MS,
    namedStatements: config.RISK_DATABASE_POOLER === 'none',
    isPooled: config.RISK_DATABASE_POOLER === 'transaction',
    ...more,
  });
}

/**
 * Opens a connection for the probe of whether Postgres takes writes: the probe must not wait behind work that
 * may be the trouble, nor be refused by a breaker. It stays open, as connecting takes longer than asking.
 */
export function openProbe(
  config: Config,
  url: string,
  role: string,
  more: Pick<PoolOptions, 'setting'> = {},
): Database {
  return openDatabase(config, url, `${role}-probe`, {
    connectionsMax: PROBES,
    idleTimeoutMs: 0,
    connectTimeoutMs: PROBE_MS,
    statementTimeoutMs: PROBE_MS,
    ...more,
  });
}
