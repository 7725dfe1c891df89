import { expect, test } from 'vitest';
import { createRandom } from '../../../../../../src/kit/random.ts';
import { bootstrapIntervals } from '../../../../../../src/rooms/models/training/evaluation/bootstrap.ts';

const ROWS = 400;
const random = createRandom('rows');
const labels = Uint8Array.from({ length: ROWS }, () => (random() < 0.3 ? 1 : 0));
const figures = (drawn: Int32Array) => ({
  share: drawn.reduce((sum, row) => sum + (labels[row] ?? 0), 0) / drawn.length,
  distinct: new Set(drawn).size / drawn.length,
});

test('the interval of a share is the one that its variance gives', () => {
  const { share, distinct } = bootstrapIntervals(ROWS, figures, 500, createRandom('1'));
  const mean = labels.reduce((sum, label) => sum + label, 0) / ROWS;
  const reach = 1.96 * Math.sqrt((mean * (1 - mean)) / ROWS);
  expect(Math.abs(share.low - (mean - reach))).toBeLessThan(0.012);
  expect(Math.abs(share.high - (mean + reach))).toBeLessThan(0.012);
  // With replacement: of n rows 1 - 1/e are drawn at all.
  expect(distinct.low).toBeLessThan(1 - Math.exp(-1));
  expect(distinct.high).toBeGreaterThan(1 - Math.exp(-1));
  expect(distinct.high).toBeLessThan(0.7);
});

test('a figure counts only where it is defined', () => {
  let draw = 0;
  const sometimes = () => ({ odd: draw++ % 2 === 0 ? Number.NaN : 5, never: Number.NaN });
  const { odd, never } = bootstrapIntervals(1, sometimes, 10, createRandom('1'));
  expect(odd).toEqual({ low: 5, high: 5 });
  expect(never).toEqual({ low: Number.NaN, high: Number.NaN });
});
