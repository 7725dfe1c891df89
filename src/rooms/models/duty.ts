/** The watch over models and rules as a duty: one worker checks, all workers report the result. */
import type { Worker, WorkerRoom } from '../../core/room.ts';
import type { Database } from '../../kit/database/pool.ts';
import type { Leadership } from '../../kit/duties/leadership.ts';
import { watchScores } from './queries/watch-scores.ts';
import { reportWatch } from './report-watch.ts';
import { insertWatchReports, listWatchReports } from './store/watch-reports.ts';
import type { WatchReport } from './watch-report.ts';

/** How soon a worker reports what another one found; checks themselves are rarer. */
const POLL_MS_MAX = 30_000;
/** Checks that may fail, or find nothing scored, before the gauges are removed. */
const WATCHES_MISSED_MAX = 3;

export async function openWatch(worker: Worker): Promise<WorkerRoom> {
  return { duties: [watchDuty(worker)] };
}

export function watchDuty({
  config,
  database,
  leadership,
  metrics,
}: Pick<Worker, 'config' | 'database' | 'leadership' | 'metrics'>) {
  const everyMs = config.RISK_WATCH_EVERY_SECONDS * 1000;
  const maturityDays = config.RISK_LABEL_MATURITY_DAYS;
  const watchIfDue = createWatchIfDue({ database, leadership, everyMs, maturityDays });
  return {
    name: 'watch-models',
    everyMs: Math.min(everyMs, POLL_MS_MAX),
    run: async (signal: AbortSignal) => {
      const nowMs = Date.now();
      await watchIfDue(nowMs, signal);
      const reports = await listWatchReports(database.query, nowMs);
      const oldestMs = nowMs - WATCHES_MISSED_MAX * everyMs;
      reportWatch(
        metrics,
        reports.filter((report) => Date.parse(report.watched_at) >= oldestMs),
      );
    },
  };
}

type WatchDuty = {
  readonly database: Database;
  readonly leadership: Leadership;
  readonly everyMs: number;
  readonly maturityDays: number;
};
/** @returns the reports made; none where another worker checks now, or did so already */
type WatchIfDue = (nowMs: number, signal: AbortSignal) => Promise<readonly WatchReport[]>;

/**
 * Checks as of the last full interval, unless a worker did: once per interval, even where there was nothing to
 * report.
 */
export function createWatchIfDue(duty: WatchDuty): WatchIfDue {
  const { database, leadership, everyMs, maturityDays } = duty;
  /** The interval that this process checked last: a check without findings leaves no row. */
  const lead = leadership.of('watch');
  let watchedMs = Number.NEGATIVE_INFINITY;
  return async (nowMs, signal) => {
    const atMs = Math.floor(nowMs / everyMs) * everyMs;
    if (watchedMs >= atMs) return [];
    let made: readonly WatchReport[] = [];
    await lead.run(async () => {
      const [last] = await listWatchReports(database.query, nowMs);
      if (last === undefined || Date.parse(last.watched_at) < atMs) {
        made = await watchScores(database, atMs, maturityDays, signal);
        await insertWatchReports(lead.writes.query, atMs, made);
      }
      watchedMs = atMs;
    });
    return made;
  };
}
