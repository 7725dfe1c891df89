/** Goal: those of test/unit/core/score/rules, at the size at which a difference of one in a million shows. */
import { test } from 'vitest';
import { fuzzExpressions } from '../support/expression-fuzz.ts';

test('100,000 random expressions have the values of the oracle', () => {
  fuzzExpressions(100_000);
});
