import { expect, test } from 'vitest';
import { bootstrapIntervals } from '../../../../src/models/evaluation/bootstrap.ts';
import { aucOf, type Scored, thresholdsOf } from '../../../../src/models/evaluation/ranking.ts';
import { createRandom } from '../../../../src/simulate/random.ts';

const ROWS = 400;
const random = createRandom('rows');
const scored = {
  scores: Float64Array.from({ length: ROWS }, () => random()),
  labels: Uint8Array.from({ length: ROWS }, () => (random() < 0.3 ? 1 : 0)),
};
const share = ({ labels }: Scored) =>
  Array.from(labels).reduce((sum, label) => sum + label, 0) / labels.length;
const figures = (rows: Scored) => ({ share: share(rows), auc: aucOf(thresholdsOf(rows)) });

test('the interval of a share is the one that its variance gives', () => {
  const intervals = bootstrapIntervals(scored, figures, 500, createRandom('1'));
  const mean = share(scored);
  const reach = 1.96 * Math.sqrt((mean * (1 - mean)) / ROWS);
  expect(intervals.share.low).toBeCloseTo(mean - reach, 1.7);
  expect(intervals.share.high).toBeCloseTo(mean + reach, 1.7);
  expect(intervals.auc.low).toBeLessThan(0.5);
  expect(intervals.auc.high).toBeGreaterThan(0.5);
});

test('the same seed gives the same interval, another seed another one', () => {
  const run = (seed: string) => bootstrapIntervals(scored, figures, 50, createRandom(seed));
  expect(run('1')).toEqual(run('1'));
  expect(run('1')).not.toEqual(run('2'));
});

test('a figure that is never defined has no interval', () => {
  const none = { scores: [1, 2], labels: [0, 0] };
  const { auc } = bootstrapIntervals(none, figures, 10, createRandom('1'));
  expect(auc).toEqual({ low: Number.NaN, high: Number.NaN });
});
