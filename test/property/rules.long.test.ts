/** Goal: those of test/unit/core/score/rules, at the size at which a difference of one in a million shows. */
import { expect, test } from 'vitest';
import { fuzzExpressions } from '../support/expression-fuzz.ts';
import { compareDecisions } from '../support/rule-matrix.ts';

test('a million decisions by rules that are data do not differ from those by code', () => {
  const { compared, differing } = compareDecisions(1_000_000, 'million');
  expect(differing).toEqual([]);
  expect(compared).toBeGreaterThanOrEqual(1_000_000);
});

test('100,000 random expressions have the values of the oracle', () => {
  fuzzExpressions(100_000);
});
