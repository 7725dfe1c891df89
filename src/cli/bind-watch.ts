/** The watch over models and rules as a duty: one worker looks, all of them report what it found. */
import type { WatchReport } from '../domain/watch-report.ts';
import type { Config } from '../runtime/config.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { reportWatch } from '../runtime/report-watch.ts';
import type { Leadership } from '../store/leadership.ts';
import type { Database } from '../store/pool.ts';
import { insertWatchReports, listWatchReports, purgeWatchReports } from '../store/watch-reports.ts';
import { watchScores } from './models/watch-scores.ts';

/** How soon a worker reports what another one found; the look itself is rarer. */
const POLL_MS_MAX = 30_000;
/** Looks that may fail, or find nothing scored, before figures are taken down. */
const LOOKS_MISSED_MAX = 3;

export function bindWatch(
  config: Config,
  database: Database,
  leadership: Leadership,
  metrics: Metrics,
) {
  const everyMs = config.RISK_WATCH_EVERY_SECONDS * 1000;
  const maturityDays = config.RISK_LABEL_MATURITY_DAYS;
  return {
    name: 'watch-models',
    everyMs: Math.min(everyMs, POLL_MS_MAX),
    run: async (signal: AbortSignal) => {
      const nowMs = Date.now();
      await lookIfDue({ database, leadership, everyMs, maturityDays, nowMs, signal });
      const reports = await listWatchReports(database.query, nowMs);
      const oldestMs = nowMs - LOOKS_MISSED_MAX * everyMs;
      reportWatch(
        metrics,
        reports.filter((report) => Date.parse(report.watched_at) >= oldestMs),
      );
    },
  };
}

type Look = {
  readonly database: Database;
  readonly leadership: Leadership;
  readonly everyMs: number;
  readonly maturityDays: number;
  readonly nowMs: number;
  readonly signal: AbortSignal;
};

/**
 * Looks as of the last full interval, unless somebody did. @returns the reports made; none where another
 * worker is at it, or was
 */
export async function lookIfDue(look: Look): Promise<readonly WatchReport[]> {
  const { database, leadership, everyMs, maturityDays, nowMs, signal } = look;
  const atMs = Math.floor(nowMs / everyMs) * everyMs;
  let made: readonly WatchReport[] = [];
  await leadership.lead('watch', async () => {
    const [last] = await listWatchReports(database.query, nowMs);
    if (last !== undefined && Date.parse(last.watched_at) >= atMs) return;
    made = await watchScores(database, { atMs, maturityDays, signal });
    await insertWatchReports(database.query, atMs, made);
    await purgeWatchReports(database.query, nowMs);
  });
  return made;
}
