import { expect, test } from 'vitest';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import { reportWatch } from '../../../../src/rooms/models/duty.ts';
import { WATCH_MINIMUM, type WatchReport } from '../../../../src/rooms/models/watch-report.ts';

const drift = (psi: number, level: WatchReport['level']): WatchReport['score'] => ({
  ...{ psi, level, rows: 2000, reference_rows: null },
  ...{ missing: 0.25, missing_reference: 0.125 },
});
const share = (rows: number, value: number) => ({ rows, value, low: 0, high: 1 });
const window = { from: '2026-11-19T10:00:00.000Z', to: '2026-11-20T10:00:00.000Z' };

/** @param sizes rows of the figures, in the order of WATCH_MINIMUM without drift */
function reportOf(sizes: readonly [number, number, number]): WatchReport {
  const [labelled, flagged, frauds] = sizes;
  const bound = { precision: share(flagged, 0.5), recall: share(frauds, 0.75) };
  return {
    ...{ model: 'm@1', watched_at: '2026-11-20T10:00:00.000Z', compared_with: 'training' },
    ...{ window, rows: 2000, level: 'alert', score: drift(0.5, 'alert') },
    features: [
      { feature: 'amount', ...drift(0.125, 'notice') },
      { feature: 'hour', ...drift(3, 'unknown') },
    ],
    outcomes: {
      ...{ window, rows: 2 * labelled, labelled, frauds, review: bound, decline: bound },
      ...{ promised: 0.02, seen: share(labelled, 0.01), calibration: [] },
      label_delay_seconds: { p50: 86_400, p90: 172_800, p99: 259_200 },
    },
  };
}
const { labelledRows, flaggedRows, frauds } = WATCH_MINIMUM;
const ENOUGH = [labelledRows, flaggedRows, frauds] as const;

async function metricsOf(report: WatchReport): Promise<string[]> {
  const metrics = createMetrics();
  reportWatch(metrics, [report]);
  const text = await metrics.registry.metrics();
  return text.split('\n').filter((line) => line.startsWith('risk_model_'));
}

test.each([
  ['precision', [labelledRows, flaggedRows - 1, frauds]],
  ['recall', [labelledRows, flaggedRows, frauds - 1]],
  ['fraud', [labelledRows - 1, flaggedRows, frauds]],
  ['label_delay', [labelledRows - 1, flaggedRows, frauds]],
] as const)('reportWatch leaves %s of too few rows out', async (figure, sizes) => {
  const linesOf = async (rows: typeof sizes | typeof ENOUGH) =>
    (await metricsOf(reportOf(rows))).filter((line) => line.startsWith(`risk_model_${figure}`));
  expect(await linesOf(ENOUGH)).not.toEqual([]);
  expect(await linesOf(sizes)).toEqual([]);
});

test('reportWatch leaves out what labels of frauds alone would make perfect', async () => {
  const report = reportOf(ENOUGH);
  const { outcomes } = report;
  const few = { ...report, outcomes: { ...outcomes, rows: 2 * labelledRows + 1 } };
  const names = (await metricsOf(few)).map((line) => line.split('{')[0]);
  expect(names).not.toContain('risk_model_precision_ratio');
  expect(names).not.toContain('risk_model_fraud_ratio');
  expect(names).toContain('risk_model_recall_ratio');
  expect(names).toContain('risk_model_labelled_ratio');
});
