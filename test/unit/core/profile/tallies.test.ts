/** Goal: lookups in tallies find what a walk over all of them finds, whatever was asked before. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countTallied, packTallies, sumTallied } from '../../../../src/core/profile/tallies.ts';

const tally = fc.record({
  bucketMs: fc.nat(20),
  daily: fc.constant(false),
  currency: fc.nat(2),
  count: fc.integer({ min: 1, max: 9 }),
  sum: fc.nat(1000),
});
const tallies = fc
  .array(tally, { maxLength: 30 })
  .map((list) => list.sort((a, b) => a.bucketMs - b.bucketMs));
const questions = fc.array(fc.record({ ms: fc.nat(22), currency: fc.nat(2) }), { maxLength: 12 });

const totalOf = (list: readonly number[]) => list.reduce((sum, one) => sum + one, 0);

test('countTallied and sumTallied find what a walk finds', () => {
  fc.assert(
    fc.property(tallies, questions, (list, asked) => {
      const packed = packTallies(list);
      for (const { ms, currency } of asked) {
        const older = list.filter((one) => one.bucketMs < ms);
        expect(countTallied(packed, ms)).toBe(totalOf(older.map(({ count }) => count)));
        const summed = list.filter((one) => one.bucketMs >= ms && one.currency === currency);
        expect(sumTallied(packed, ms, currency)).toMatchObject({
          sum: totalOf(summed.map(({ sum }) => sum)),
          count: totalOf(summed.map(({ count }) => count)),
        });
      }
    }),
  );
});
