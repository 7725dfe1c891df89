import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shareBatch } from '../../../../src/core/work/intake.ts';

test('shareBatch lets a longer backlog keep up, and a flood take four times what another gets at most', () => {
  expect(shareBatch([200, 100, 100], 1000)).toEqual([428, 285, 285]);
  const [flood = 0, other = 0] = shareBatch([1_000_000, 100, 100, 100, 100, 100], 900);
  expect(flood).toBe(400);
  expect(other).toBe(100);
});

test('shareBatch multiplies the part of a busy corridor by its weight', () => {
  expect(shareBatch([100, 100, 0], 400, [3, 1, 1])).toEqual([300, 100, 100]);
});

test('shareBatch stays within two batches, and reads from every stream', () => {
  const backlogs = fc.array(fc.nat(100_000), { minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(backlogs, fc.integer({ min: 1, max: 1000 }), (waiting, batchTransactions) => {
      const shares = shareBatch(waiting, batchTransactions);
      expect(Math.min(...shares)).toBeGreaterThanOrEqual(1);
      expect(Math.max(...shares)).toBeLessThanOrEqual(batchTransactions);
      const sum = shares.reduce((all, share) => all + share, 0);
      // Each stream has a share of at least one, whatever the batch.
      expect(sum).toBeLessThanOrEqual(2 * batchTransactions + waiting.length);
    }),
  );
});
