/** Work of models in a worker: they judge batches, and one worker at a time watches them for all. */

import type { OutcomeShare } from '../../core/domain/outcome-share.ts';
import type { Worker, WorkerRoom } from '../../core/room.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import { type LoadModel, openJudge } from './judge/open-judge.ts';
import { watchScores } from './queries/watch-scores.ts';
import { insertWatchReports, listWatchReports } from './store/watch-reports.ts';
import { type Drift, decides, WATCH_MINIMUM, type WatchReport } from './watch-report.ts';

/** How soon a worker reports what another one found; looks themselves are rarer. */
const POLL_MS_MAX = 30_000;
/** Looks that may fail, or find nothing scored, before the gauges are removed. */
const WATCHES_MISSED_MAX = 3;

/** Label beside the names of features: the probability, or the risk where the rules decide alone. */
const SCORE = 'score';

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
      reportWatch(metrics, reports.filter(isFresh).filter(decides));
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

/**
 * The reports of the watch as metrics. Figures of too few rows are left out, so that they raise no alert.
 * Replaces all earlier values: a model that no longer decides disappears.
 */
export function reportWatch(metrics: Metrics, reports: readonly WatchReport[]): void {
  const { watchRows, modelStability, modelMissing, modelPrecision, modelRecall } = metrics;
  const { modelFraud, modelLabelled, modelLabelDelay } = metrics;
  for (const gauge of [
    watchRows,
    modelStability,
    modelMissing,
    modelPrecision,
    modelRecall,
    modelFraud,
    modelLabelled,
    modelLabelDelay,
  ]) {
    gauge.reset();
  }
  for (const { model, rows, score, features, outcomes } of reports) {
    watchRows.set({ model, figures: 'drift' }, rows);
    watchRows.set({ model, figures: 'labelled' }, outcomes.labelled);
    reportDrift(metrics, model, SCORE, score);
    for (const { feature, ...drift } of features) reportDrift(metrics, model, feature, drift);
    reportOutcomes(metrics, model, outcomes);
  }
}

function reportDrift(
  { modelStability, modelMissing }: Metrics,
  model: string,
  feature: string,
  { level, psi, missing: now, missing_reference: reference }: Drift,
): void {
  if (level === 'unknown' || psi === null) return;
  modelStability.set({ model, feature }, psi);
  if (feature === SCORE) return;
  for (const [when, share] of Object.entries({ now, reference })) {
    if (share !== null) modelMissing.set({ model, feature, when }, share);
  }
}

function reportOutcomes(metrics: Metrics, model: string, outcomes: WatchReport['outcomes']): void {
  const { rows, labelled, promised, seen } = outcomes;
  if (rows >= WATCH_MINIMUM.labelledRows) metrics.modelLabelled.set({ model }, labelled / rows);
  const isTold = labelled >= WATCH_MINIMUM.labelledShare * rows;
  for (const bound of ['review', 'decline'] as const) {
    const { precision, recall } = outcomes[bound];
    if (isTold && isEnough(precision, WATCH_MINIMUM.flaggedRows)) {
      metrics.modelPrecision.set({ model, bound }, precision.value);
    }
    if (isEnough(recall, WATCH_MINIMUM.frauds)) {
      metrics.modelRecall.set({ model, bound }, recall.value);
    }
  }
  if (!isEnough(seen, WATCH_MINIMUM.labelledRows)) return;
  for (const [quantile, seconds] of Object.entries(outcomes.label_delay_seconds ?? {})) {
    metrics.modelLabelDelay.set({ model, quantile }, seconds);
  }
  if (!isTold) return;
  metrics.modelFraud.set({ model, kind: 'seen' }, seen.value);
  if (promised !== null) metrics.modelFraud.set({ model, kind: 'promised' }, promised);
}

function isEnough(share: OutcomeShare | null, rowsMin: number): share is OutcomeShare {
  return share !== null && share.rows >= rowsMin;
}
