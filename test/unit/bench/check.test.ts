/** Goal: only a loss that is large and certain fails the guard, and the committed baseline is one it can read. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Baseline, isRegression } from '../../../bench/check/check.ts';
import { RATIO_NAMES } from '../../../bench/check/ratios.ts';

test.each([
  ['large and certain', { loss: 0.2, low: 0.05, high: 0.3 }, true],
  ['large and perhaps chance', { loss: 0.2, low: -0.01, high: 0.4 }, false],
  ['certain and small', { loss: 0.1, low: 0.08, high: 0.12 }, false],
  ['exactly the bound', { loss: 0.15, low: 0.1, high: 0.2 }, false],
  ['a gain', { loss: -0.3, low: -0.4, high: -0.2 }, false],
  ['without a baseline', { loss: Number.NaN, low: -Infinity, high: Infinity }, false],
])('isRegression(): %s', (_, loss, expected) => {
  expect(isRegression(loss)).toBe(expected);
});

test('the baseline has at least seven rounds of each ratio', () => {
  const file = new URL('../../../bench/check/baseline.json', import.meta.url);
  const runs = JSON.parse(readFileSync(file, 'utf8')) as Baseline[];
  const ratios = runs.flatMap((run) => Object.entries(run.ratios));
  expect(ratios.map(([name]) => name).toSorted()).toEqual(RATIO_NAMES.toSorted());
  for (const [name, rounds] of ratios) {
    expect(rounds.length, name).toBeGreaterThanOrEqual(7);
    expect(Math.min(...rounds), name).toBeGreaterThan(0);
  }
});
