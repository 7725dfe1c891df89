/** Work of models in a worker: they judge batches, and one worker at a time watches them for all. */
import type { Worker, WorkerRoom } from '../../core/room.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import type { LoadModel } from './judge/models-in-force.ts';
import { openJudge } from './judge/open-judge.ts';
import { watchScores } from './queries/watch-scores.ts';
import { reportWatch } from './report-watch.ts';
import { insertWatchReports, listWatchReports } from './store/watch-reports.ts';
import type { WatchReport } from './watch-report.ts';

/** How soon a worker reports what another one found; looks themselves are rarer. */
const POLL_MS_MAX = 30_000;
/** Looks that may fail, or find nothing scored, before the gauges are removed. */
const WATCHES_MISSED_MAX = 3;

export async function openModelsWorker(
  worker: Worker,
  load?: LoadModel,
  nowMs?: () => number,
): Promise<WorkerRoom> {
  const { duty, ...judge } = openJudge(worker, load, nowMs);
  return { judge, duties: [duty, watchDuty(worker)] };
}

type Watching = Pick<Worker, 'config' | 'database' | 'leadership'>;

export function watchDuty(worker: Watching & Pick<Worker, 'metrics'>): Duty {
  const { config, database, metrics } = worker;
  const everyMs = config.RISK_WATCH_EVERY_SECONDS * 1000;
  metrics.watchInterval.set(config.RISK_WATCH_EVERY_SECONDS);
  let watchedMs = 0;
  const note = (atMs: number) => {
    watchedMs = Math.max(watchedMs, atMs);
    metrics.watchedAt.set(watchedMs / 1000);
  };
  // A process that never comes to look is late from its start on.
  note(Date.now());
  const watchIfDue = createWatchIfDue(worker, note);
  return {
    name: 'watch-models',
    everyMs: Math.min(everyMs, POLL_MS_MAX),
    async run(signal) {
      const nowMs = Date.now();
      await watchIfDue(nowMs, signal);
      const reports = await listWatchReports(database.query, nowMs);
      for (const { watched_at } of reports) note(Date.parse(watched_at));
      const oldestMs = nowMs - WATCHES_MISSED_MAX * everyMs;
      const isFresh = ({ watched_at }: WatchReport) => Date.parse(watched_at) >= oldestMs;
      reportWatch(metrics, reports.filter(isFresh));
    },
  };
}

/**
 * Looks as of the last full interval, unless a worker did: once per interval, even where there was nothing to report. The
 * function returns the reports made; none where another worker looks now, or did so already.
 * @param note called with the time of each look of this process
 */
export function createWatchIfDue(
  { config, database, leadership }: Watching,
  note: (atMs: number) => void = () => undefined,
) {
  const everyMs = config.RISK_WATCH_EVERY_SECONDS * 1000;
  const lead = leadership.of('care');
  /** The interval that this process looked at last: a look without findings leaves no row. */
  let watchedMs = Number.NEGATIVE_INFINITY;
  return async (nowMs: number, signal: AbortSignal): Promise<readonly WatchReport[]> => {
    const atMs = Math.floor(nowMs / everyMs) * everyMs;
    if (watchedMs >= atMs) return [];
    let made: readonly WatchReport[] = [];
    await lead.run(async () => {
      const [last] = await listWatchReports(database.query, nowMs);
      if (last === undefined || Date.parse(last.watched_at) < atMs) {
        made = await watchScores(database, atMs, config.RISK_LABEL_MATURITY_DAYS, signal);
        await insertWatchReports(lead.writes.query, atMs, made);
      }
      watchedMs = atMs;
      note(atMs);
    });
    return made;
  };
}
