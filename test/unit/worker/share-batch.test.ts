import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shareBatch } from '../../../src/worker/share-batch.ts';

describe('shareBatch', () => {
  test('gives one busy stream the whole batch', () => {
    expect(shareBatch([0, 700, 0], 100, 1000)[1]).toBe(100);
  });

  test('gives streams that may be empty what room a busy one leaves', () => {
    const [busy, ...others] = shareBatch([10_000, ...new Array(11).fill(0)], 100, 200);
    expect(busy).toBe(100);
    expect(others).toEqual(new Array(11).fill(9));
    expect(shareBatch([100, 50, 0], 100, 100)).toEqual([57, 42, 1]);
    expect(shareBatch([0, 0, 0, 0], 100, 200)).toEqual([50, 50, 50, 50]);
  });

  test('gives equal backlogs equal shares', () => {
    expect(shareBatch([50, 50, 50, 50], 100, 1000)).toEqual([25, 25, 25, 25]);
  });

  test('lets a longer backlog keep up, and a flood take four times what another gets at most', () => {
    expect(shareBatch([200, 100, 100], 1000, 5000)).toEqual([428, 285, 285]);
    const [flood = 0, other = 0] = shareBatch([1_000_000, 100, 100, 100, 100, 100], 900, 5000);
    expect(flood).toBe(400);
    expect(other).toBe(100);
  });

  test('stays within the room, and reads from every stream', () => {
    const lengths = fc.array(fc.nat(100_000), { minLength: 1, maxLength: 40 });
    const sizes = fc.tuple(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 3000 }));
    fc.assert(
      fc.property(lengths, sizes, (waiting, [batchEntries, room]) => {
        const shares = shareBatch(waiting, batchEntries, room);
        expect(Math.min(...shares)).toBeGreaterThanOrEqual(1);
        expect(Math.max(...shares)).toBeLessThanOrEqual(batchEntries);
        const sum = shares.reduce((all, share) => all + share, 0);
        // At least one of each, whatever the room.
        expect(sum).toBeLessThanOrEqual(room + waiting.length);
      }),
    );
  });
});
