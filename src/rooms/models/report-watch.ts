/** The reports of the watch as metrics. Figures of too few rows are left out, so that they raise no alert. */
import type { OutcomeShare } from '../../core/domain/outcome-share.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import { type Drift, WATCH_MINIMUM, type WatchReport } from './watch-report.ts';

/** Label beside the names of features: the probability, or the risk where the rules decide alone. */
const SCORE = 'score';

/** Replaces all earlier values: a model that no longer decides disappears. */
export function reportWatch(metrics: Metrics, reports: readonly WatchReport[]): void {
  const { watchRows, modelStability, modelMissing, modelPrecision, modelRecall } = metrics;
  const { modelFraud, modelLabelled, modelLabelDelay } = metrics;
  for (const gauge of [
    ...[watchRows, modelStability, modelMissing, modelPrecision, modelRecall],
    ...[modelFraud, modelLabelled, modelLabelDelay],
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
