/** Goal: probabilities match frequencies, keep the order of margins, and the better way is chosen. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logistic } from '../../../../../src/kit/elementary-functions.ts';
import { createRandom } from '../../../../../src/kit/random.ts';
import { calibrate } from '../../../../../src/rooms/models/model/calibration.ts';
import { logLoss } from '../../../../../src/rooms/models/training/evaluation/ranking.ts';
import {
  chooseCalibration,
  fitIsotonic,
  fitPlatt,
} from '../../../../../src/rooms/models/training/fit-calibration.ts';

const ROWS = 4000;

/** Margins within -4..4 whose frauds come true with a given probability. */
function draw(seed: string, truth: (margin: number) => number) {
  const random = createRandom(seed);
  const margins = Float64Array.from({ length: ROWS }, () => random() * 8 - 4);
  const labels = Uint8Array.from(margins, (margin) => (random() < truth(margin) ? 1 : 0));
  return { margins, labels };
}

/** A little data of any kind, with both labels among even and odd rows. */
const anyRows = fc
  .array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.constantFrom(0, 1)), { maxLength: 40 })
  .map((rows) => [...rows, [0, 1], [1, 0], [2, 0], [3, 1]] as const)
  .map((rows) => ({
    margins: Float64Array.from(rows, ([margin]) => margin / 3),
    labels: Uint8Array.from(rows, ([, label]) => label),
  }));

const line = draw('line', (margin) => logistic(2 * margin - 1));
const stairs = draw('stairs', (margin) => (margin < 1 ? 0.1 : margin < 2 ? 0.3 : 0.35));

describe('chooseCalibration', () => {
  test('takes the line where the truth is one, and finds it', () => {
    const { calibration, logLosses } = chooseCalibration(line.margins, line.labels);
    expect(logLosses.platt).toBeLessThan(logLosses.isotonic);
    if (calibration.kind !== 'platt') throw new Error('not a line');
    expect(calibration.slope).toBeCloseTo(2, 0);
    expect(calibration.intercept).toBeCloseTo(-1, 0);
  });

  test('takes steps where the truth is no line, and finds them', () => {
    const { calibration, logLosses } = chooseCalibration(stairs.margins, stairs.labels);
    expect(logLosses.isotonic).toBeLessThan(logLosses.platt);
    expect(Math.abs(calibrate(calibration, -2) - 0.1)).toBeLessThan(0.05);
    expect(Math.abs(calibrate(calibration, 1.5) - 0.3)).toBeLessThan(0.08);
  });

  test('holds out what it judges: a row has no say in its own probability', () => {
    const { holdout: heldOut, logLosses } = chooseCalibration(line.margins, line.labels);
    expect(logLoss(heldOut, line.labels)).toBe(Math.min(logLosses.platt, logLosses.isotonic));
    const flipped = line.labels.with(0, 1 - (line.labels[0] ?? 0));
    const other = chooseCalibration(line.margins, flipped);
    expect(other.holdout[0]).toBe(heldOut[0]);
    expect(other.holdout[1]).not.toBe(heldOut[1]);
  });
});

test('fitPlatt stays finite where the labels can be told apart, or not at all', () => {
  const apart = fitPlatt(Float64Array.of(-2, -1, 1, 2), Uint8Array.of(0, 0, 1, 1));
  expect(apart.slope).toBeGreaterThan(0.5);
  expect(apart.slope).toBeLessThan(10);
  const alike = fitPlatt(new Float64Array(4).fill(3), Uint8Array.of(0, 0, 1, 1));
  expect(logistic(alike.slope * 3 + alike.intercept)).toBeCloseTo(0.5, 6);
  const opposite = fitPlatt(Float64Array.of(1, 2, -1, -2), Uint8Array.of(0, 0, 1, 1));
  expect(opposite.slope).toBeGreaterThan(0);
});

/** Runs of rows with the same best fit, by its formula: the greatest, over starts, least mean to an end. */
function bestFit(margins: Float64Array, labels: Uint8Array) {
  const rows = [...margins].map((margin, row) => ({ margin, fraud: labels[row] ?? 0 }));
  const values = [...new Set(margins)].sort((a, b) => a - b);
  const groups = values.map((value) => rows.filter(({ margin }) => margin === value));
  const meanOf = (from: number, to: number) => {
    const part = groups.slice(from, to + 1).flat();
    return part.reduce((sum, { fraud }) => sum + fraud, 0) / part.length;
  };
  const indexes = groups.map((_, index) => index);
  const fits = indexes.map((at) =>
    Math.max(
      ...indexes
        .filter((from) => from <= at)
        .map((from) => Math.min(...indexes.filter((to) => to >= at).map((to) => meanOf(from, to)))),
    ),
  );
  const pools: { fit: number; sum: number; frauds: number; rows: number }[] = [];
  for (const [index, group] of groups.entries()) {
    const fit = fits[index] ?? 0;
    const last = pools.at(-1);
    const pool = last?.fit === fit ? last : { fit, sum: 0, frauds: 0, rows: 0 };
    if (pool !== last) pools.push(pool);
    pool.rows += group.length;
    pool.sum += group.reduce((sum, { margin }) => sum + margin, 0);
    pool.frauds += group.reduce((sum, { fraud }) => sum + fraud, 0);
  }
  return pools;
}

test('fitIsotonic pools rows where the best never falling fit is level', () => {
  fc.assert(
    fc.property(anyRows, ({ margins, labels }) => {
      const pools = bestFit(margins, labels);
      const steps = fitIsotonic(margins, labels);
      expect(steps.margins).toHaveLength(pools.length);
      for (const [at, { sum, frauds, rows }] of pools.entries()) {
        expect(steps.margins[at]).toBeCloseTo(sum / rows, 9);
        const smoothed = (frauds + 0.5) / (rows + 1);
        expect(steps.probabilities[at]).toBeGreaterThanOrEqual(smoothed);
        expect([smoothed, steps.probabilities[at - 1]]).toContain(steps.probabilities[at]);
      }
    }),
  );
});
