/** Goal: a compiled expression is true, false or missing as its tree is. Method: random expressions and values beside an oracle. */
import { test } from 'vitest';
import { fuzzExpressions } from '../../../../../support/expression-fuzz.ts';

test('2,000 random expressions have the values of the oracle', () => {
  fuzzExpressions(2000);
});
