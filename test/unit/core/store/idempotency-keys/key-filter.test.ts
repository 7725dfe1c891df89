/**
 * Goal: a filter never misses a key of its slice, and has few false positives. Method: random digests, in pages
 * of any size and with bounds that are larger than needed.
 */

import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { KeyDigests } from '../../../../../src/core/store/idempotency-keys/key-slice-rows.ts';
import {
  createKeyFilter,
  filterBytes,
  filterKeys,
  type KeyFilter,
  PREFIX_BYTES,
} from '../../../../../src/core/store/idempotency-keys/key-slice-rows.ts';
import {
  digestKeys,
  pickDigests,
} from '../../../../../src/core/store/idempotency-keys/key-slices.ts';
import { uuidOffset } from '../../../../../src/kit/database/binary-array.ts';

function keys(prefix: string, count: number): KeyDigests {
  return digestKeys(
    'shop',
    Array.from({ length: count }, (_, n) => `${prefix}-${n}`),
  );
}

function filterOf({ array, count }: KeyDigests, keysMax: number, pageKeys: number): KeyFilter {
  const prefixes = Array.from({ length: count }, (_, at) =>
    array.subarray(uuidOffset(at), uuidOffset(at) + PREFIX_BYTES),
  );
  const filter = createKeyFilter(keysMax);
  for (let at = 0; at < count; at += pageKeys) {
    filter.add(Buffer.concat(prefixes.slice(at, at + pageKeys)));
  }
  return filter;
}

function heldOf(filter: KeyFilter, digests: KeyDigests): number {
  const marks = new Uint8Array(digests.count);
  const isAny = filter.mark(digests, marks);
  const held = marks.reduce((sum, mark) => sum + mark, 0);
  expect(isAny).toBe(held > 0);
  return held;
}

test('a digest is the first 16 bytes of SHA-256 of client and key', () => {
  const { array, count } = digestKeys('shop', ['a', 'ü']);
  expect(count).toBe(2);
  expect(array.subarray(uuidOffset(1), uuidOffset(1) + 16)).toEqual(
    createHash('sha256').update('shop\0ü').digest().subarray(0, 16),
  );
  expect(pickDigests({ array, count }, [1])).toEqual(digestKeys('shop', ['ü']));
});

describe('a filter', () => {
  test.each([
    [0, 0, 1],
    [1, 1, 1],
    [17, 97, 5],
    [5000, 5000, 5000],
    [5000, 6000, 999],
    [200_000, 210_000, 20_000],
  ])('of %i keys, bound %i, in pages of %i, holds them all', (count, keysMax, pageKeys) => {
    const held = keys('held', count);
    expect(heldOf(filterOf(held, keysMax, pageKeys), held)).toBe(count);
  });

  test('suspects fewer than 1 in 1,500 others, in 2.5 bytes a key', () => {
    const filter = filterOf(keys('held', 200_000), 200_000, 20_000);
    expect(heldOf(filter, keys('other', 300_000))).toBeLessThan(200);
    expect(filter.bytes).toBe(filterBytes(200_000));
    expect(Math.round((filter.bytes / 200_000) * 10) / 10).toBe(2.5);
    expect(filterBytes(filterKeys(2 ** 24))).toBeLessThanOrEqual(2 ** 24);
  });

  test('holds more keys than its bound all the same', () => {
    const held = keys('held', 5000);
    expect(heldOf(filterOf(held, 100, 50), held)).toBe(5000);
  });
});
