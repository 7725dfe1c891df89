/** The live figures of the console, bound to the metrics and the pool of the process. */
import { createReadLive } from '../../query/live-figures.ts';
import type { StatusJson } from '../../query/pipeline-status.ts';
import type { Config } from '../../runtime/config.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { Database } from '../../store/database/pool.ts';

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
