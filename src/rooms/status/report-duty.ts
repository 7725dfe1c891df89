/** The duty by which each worker reports its scores; `GET /v1/workers` reads the reports. */
import packageJson from '../../../package.json' with { type: 'json' };
import type { Worker } from '../../core/room.ts';
import { reportWorker } from '../../core/stream/status/workers.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';

const EVERY_MS = 3000;

export function bindReport({ config, log, name, redis, metrics }: Worker): Duty {
  const startedAt = new Date().toISOString();
  const report = async (isDraining: boolean) => {
    const scored: Record<string, number> = {};
    for (const { labels, value } of (await metrics.scored.get()).values) {
      const { corridor } = labels;
      if (corridor !== undefined) scored[corridor] = (scored[corridor] ?? 0) + value;
    }
    const version = packageJson.version;
    const own = { name, startedAt, version, scored, isDraining };
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
