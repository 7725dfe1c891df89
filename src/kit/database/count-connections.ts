/** The budget of connections to Postgres: what a process of each role opens at most. */
import type { Config } from '../config/config.ts';
import { sliceConnectionsMax } from './slice-database.ts';

/** The connection that proves that Postgres takes writes. */
const PROBES = 1;

export function countConnections(
  config: Pick<Config, 'RISK_DATABASE_CONNECTIONS_MAX' | 'RISK_EXPORTS_MAX'>,
): Readonly<Record<'api' | 'worker', number>> {
  const worker = config.RISK_DATABASE_CONNECTIONS_MAX + PROBES;
  return { api: worker + sliceConnectionsMax(config) + config.RISK_EXPORTS_MAX, worker };
}
