import fc from 'fast-check';
import { expect, test } from 'vitest';
import { selectRank } from '../../../../src/core/profile/arithmetic.ts';

test('two ranks after one another are those of sorted values, which may repeat', () => {
  const value = fc.oneof(fc.nat(5), fc.double({ min: 0, max: 1e6, noNaN: true }));
  const values = fc.array(value, { minLength: 1, maxLength: 300, size: 'max' });
  fc.assert(
    fc.property(values, fc.nat(), fc.nat(), (given, a, b) => {
      const [median = 0, high = 0] = [a, b].map((n) => n % given.length).sort((x, y) => x - y);
      const last = given.length - 1;
      // Values of an earlier row lie behind the last value.
      const ranking = Float64Array.of(...given, -1, -1);
      const ranks = [selectRank(ranking, 0, last, median), selectRank(ranking, median, last, high)];
      const sorted = Float64Array.from(given).sort();
      expect(ranks).toEqual([sorted[median], sorted[high]]);
    }),
  );
});
