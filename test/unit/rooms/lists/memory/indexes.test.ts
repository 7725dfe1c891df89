/** Goal: a set of a list never lacks what was added, seldom has anything else, and stays within its memory. */
import { describe, expect, test } from 'vitest';
import { createRandom } from '../../../../../src/kit/random.ts';
import {
  ADDED_MAX,
  createAddressIndex,
} from '../../../../../src/rooms/lists/memory/address-index.ts';
import { createHashIndex } from '../../../../../src/rooms/lists/memory/hash-index.ts';
import { addressOf, rangeOf } from '../../../../../src/rooms/lists/value.ts';

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
  const random = createRandom('networks');
  const below = (count: number) => Math.floor(random() * count);
  const address = (isV4: boolean) =>
    isV4
      ? [10, below(4), below(4), below(256)]
      : [
          0x20,
          1,
          0x0d,
          below(2),
          below(4),
          below(4),
          ...Array.from({ length: 10 }, () => below(256)),
        ];
  const textOf = (bytes: number[]) =>
    bytes.length === 4
      ? bytes.join('.')
      : Array.from({ length: 8 }, (_, nth) =>
          (((bytes[2 * nth] ?? 0) << 8) | (bytes[2 * nth + 1] ?? 0)).toString(16),
        ).join(':');
  function network(isV4: boolean): string {
    const bits = isV4 ? 12 + below(21) : 28 + below(101);
    const bytes = address(isV4).map((byte, nth) => {
      const left = Math.min(8, Math.max(0, bits - nth * 8));
      return byte & ((0xff00 >> left) & 0xff);
    });
    return `${textOf(bytes)}/${bits}`;
  }
  const bigOf = (bytes: readonly number[]) =>
    bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const contains = (one: string, bytes: readonly number[]) => {
    const { from, to } = rangeOf(one);
    const at = bigOf(bytes);
    return from.length === bytes.length && bigOf(from) <= at && at <= bigOf(to);
  };
  /** The order of Postgres' inet: the shorter prefix of equal beginnings first. */
  const inOrder = (networks: string[]) =>
    networks.toSorted((one, other) => {
      const [a, b] = [rangeOf(one), rangeOf(other)];
      const [from, to] = [bigOf(a.from) - bigOf(b.from), bigOf(b.to) - bigOf(a.to)];
      return (
        a.from.length - b.from.length ||
        Number(from > 0n) - Number(from < 0n) ||
        Number(to > 0n) - Number(to < 0n)
      );
    });

  test.each([true, false])('random ones have their addresses (IPv4: %s)', (isV4) => {
    for (let round = 0; round < 20; round++) {
      const networks = Array.from({ length: 1 + below(60) }, () => network(isV4));
      const [appended, added] = [createAddressIndex(), createAddressIndex()];
      for (const one of inOrder(networks)) appended.append(one);
      for (const one of networks) expect(added.add(one)).toBe(true);
      for (let nth = 0; nth < 500; nth++) {
        const { bytes } = addressOf(textOf(address(isV4)));
        const expected = networks.some((one) => contains(one, bytes));
        const found = [appended.has(bytes), added.has(bytes)];
        // IPv6 may have an address that shares its first bits with a network.
        const isRight = found.every((one) => one === expected);
        if (!isRight && (isV4 || expected))
          expect([networks, bytes, found]).toEqual([networks, bytes, [expected, expected]]);
      }
    }
  });

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
