/** The duties by which each worker reports what it scored, which `GET /v1/workers` and `GET /v1/status` read, and the backlog. */
import packageJson from '../../../package.json' with { type: 'json' };
import type { Worker } from '../../core/room.ts';
import { countBacklog } from '../../core/store/open-rows/open-rows.ts';
import { reportWorker } from '../../core/stream/status/workers.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import { createStatusMetrics } from './metrics.ts';

const EVERY_MS = 3000;
/** Longer: autoscaling follows later. Shorter: each worker asks Postgres more often. */
const BACKLOG_EVERY_MS = 5000;

/** Each worker reports the backlog, so that the figure is there as long as any worker runs. */
export function bindBacklog({ database, metrics }: Pick<Worker, 'database' | 'metrics'>): Duty {
  const { backlog } = createStatusMetrics(metrics.make);
  return {
    name: 'report-backlog',
    everyMs: BACKLOG_EVERY_MS,
    run: async () => backlog.set(await countBacklog(database.query)),
  };
}

export function bindReport({ config, log, name, redis, metrics }: Worker): Duty {
  const startedAt = new Date().toISOString();
  const report = async (isDraining: boolean) => {
    const version = packageJson.version;
    const scored = await countScored(metrics);
    const { user, system } = process.cpuUsage();
    const processorSeconds = (user + system) / 1e6;
    const own = { name, startedAt, version, isDraining, processorSeconds, scored };
    await reportWorker(redis, config.RISK_MARKET, own);
  };
  let isWatched = false;
  return {
    name: 'report-worker',
    everyMs: EVERY_MS,
    run: async (signal) => {
      if (!isWatched) signal.addEventListener('abort', sayDraining, { once: true });
      isWatched = true;
      await report(false);
    },
  };

  function sayDraining() {
    report(true).catch((error: unknown) =>
      log.info({ err: String(error) }, 'the report of draining failed'),
    );
  }
}

async function countScored({ scored }: Pick<Metrics, 'scored'>): Promise<Record<string, number>> {
  const byCorridor: Record<string, number> = {};
  for (const { labels, value } of (await scored.get()).values) {
    const { corridor } = labels;
    if (corridor !== undefined) byCorridor[corridor] = (byCorridor[corridor] ?? 0) + value;
  }
  return byCorridor;
}
