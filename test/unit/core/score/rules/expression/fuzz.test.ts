/** Goal: a compiled expression is true, false or missing as its tree is. Method: random expressions and values beside an oracle. */
import { test } from 'vitest';
import { fuzzExpressions } from '../../../../../support/expression-fuzz.ts';

test('500 random expressions have the values of the oracle', () => {
  fuzzExpressions(500);
});
