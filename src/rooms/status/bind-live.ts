/** The live figures of the console, bound to the metrics and the pool of the process. */
import type { Config } from '../../kit/config/config.ts';
import type { Database } from '../../kit/database/pool.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import { createReadLive } from './queries/live-figures.ts';
import type { StatusJson } from './queries/pipeline-status.ts';

export function bindLive(
  config: Pick<Config, 'RISK_DATABASE_CONNECTIONS_MAX'>,
  { usage }: Pick<Database, 'usage'>,
  metrics: Pick<Metrics, 'httpDuration' | 'cacheHits' | 'cacheMisses'>,
  readStatus: () => Promise<StatusJson>,
) {
  const poolInUse = () => {
    const { total, idle } = usage();
    return (total - idle) / config.RISK_DATABASE_CONNECTIONS_MAX;
  };
  const nowMs = () => performance.now();
  return createReadLive({ readStatus, metrics, poolInUse, nowMs });
}
