/** Goal: probabilities match frequencies, and are judged on rows that they were not fitted to. */
import { expect, test } from 'vitest';
import { logistic } from '../../../../../src/kit/elementary-functions.ts';
import { createRandom } from '../../../../../src/kit/random.ts';
import { fitPlatt, holdOut } from '../../../../../src/rooms/models/training/fit-calibration.ts';

const ROWS = 4000;

/** Margins within -4..4 whose frauds come true with a given probability. */
function draw(seed: string, truth: (margin: number) => number) {
  const random = createRandom(seed);
  const margins = Float64Array.from({ length: ROWS }, () => random() * 8 - 4);
  const labels = Uint8Array.from(margins, (margin) => (random() < truth(margin) ? 1 : 0));
  return { margins, labels };
}

const line = draw('line', (margin) => logistic(2 * margin - 1));

test('fitPlatt finds the line', () => {
  const { slope, intercept } = fitPlatt(line.margins, line.labels);
  expect(slope).toBeCloseTo(2, 0);
  expect(intercept).toBeCloseTo(-1, 0);
});

test('holdOut gives a row no say in its own probability', () => {
  const held = holdOut(line.margins, line.labels);
  const flipped = holdOut(line.margins, line.labels.with(0, 1 - (line.labels[0] ?? 0)));
  expect(flipped[0]).toBe(held[0]);
  expect(flipped[1]).not.toBe(held[1]);
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
