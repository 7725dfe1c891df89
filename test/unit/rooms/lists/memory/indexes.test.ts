/** Goal: a set of a list never lacks what was added, seldom has anything else, and stays within its memory. */
import { describe, expect, test } from 'vitest';
import {
  ADDED_MAX,
  createAddressIndex,
} from '../../../../../src/rooms/lists/memory/address-index.ts';
import { createHashIndex } from '../../../../../src/rooms/lists/memory/hash-index.ts';
import { addressOf } from '../../../../../src/rooms/lists/value.ts';

const SEED = 17;
const MIB = 1024 * 1024;

describe('texts', () => {
  test.each([1, 5, 4000, 100_000])('%i of them are there, and others are not', async (count) => {
    const index = createHashIndex(SEED);
    for (let nth = 0; nth < count; nth++) index.add(`acc_${nth}`);
    if (count > 5) await index.settle(async () => undefined);
    for (let nth = 0; nth < count; nth++) expect(index.has(`acc_${nth}`)).toBe(true);
    let others = 0;
    for (let nth = 0; nth < 100_000; nth++) others += index.has(`acc-${nth}`) ? 1 : 0;
    expect(others).toBe(0);
  });

  test('a million take at most 12 MiB', () => {
    const index = createHashIndex(SEED);
    for (let nth = 0; nth < 1_000_000; nth++) index.add(`acc_${nth}`);
    expect(index.bytes()).toBeLessThan(12 * MIB);
    expect(index.bytes()).toBeGreaterThanOrEqual(8_000_000);
  });

  test('another seed has other hashes: nobody can make texts that share one', () => {
    const spread = (seed: number) => {
      const index = createHashIndex(seed);
      for (let nth = 0; nth < 500; nth++) index.add(`acc_${nth}`);
      return index.bytes();
    };
    expect(new Set([1, 2, 3, 4, 5, 6].map(spread)).size).toBeGreaterThan(1);
  });
});

describe('networks', () => {
  test('a network of one address has that address, and the ends of a large one are in it', () => {
    const index = createAddressIndex();
    for (const one of ['0.0.0.0/8', '10.0.0.1', '255.255.255.255', '2001:db8::/32'])
      index.append(one);
    const has = (ip: string) => index.has(addressOf(ip).bytes);
    expect(['0.0.0.0', '0.255.255.255', '10.0.0.1', '255.255.255.255'].map(has)).not.toContain(
      false,
    );
    expect(['1.0.0.0', '10.0.0.0', '10.0.0.2', '255.255.255.254'].map(has)).not.toContain(true);
    expect(['2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'].map(has)).toEqual([true, true]);
    expect(['2001:db7:ffff::', '2001:db9::'].map(has)).toEqual([false, false]);
  });

  test('too many added ones ask for a reading in order', () => {
    const index = createAddressIndex();
    const added = Array.from({ length: ADDED_MAX + 1 }, (_, nth) =>
      index.add(`10.0.${nth >> 8}.${nth & 255}`),
    );
    expect(added.indexOf(false)).toBe(ADDED_MAX);
  });
});
