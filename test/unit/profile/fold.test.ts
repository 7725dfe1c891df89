/**
 * Goal: the laws of a fold that need no database: exactly once, whatever order; bytes that come back
 * as they went; appends that end where a whole write ends. Method: properties over arrivals.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AccountPast, type MerchantPast, NO_FRAUDS } from '../../../src/domain/history.ts';
import type { Transaction } from '../../../src/domain/transaction.ts';
import { accountKind } from '../../../src/profile/account-kind.ts';
import {
  ACCOUNT_KEPT_ENTRIES,
  ACCOUNT_PROFILE_ENTRIES,
} from '../../../src/profile/account-profile.ts';
import { merchantKind } from '../../../src/profile/merchant-kind.ts';
import {
  MERCHANT_KEPT_ENTRIES,
  MERCHANT_RECENT_ENTRIES,
} from '../../../src/profile/merchant-profile.ts';
import { bytesFrom, replaceStored } from '../../../src/profile/packed-list.ts';
import {
  decodeStored,
  headerOf,
  headerVersion,
  PROFILE_HEADER_BYTES,
  type Profile,
  type ProfileKind,
  type ProfileWrite,
  stubOf,
} from '../../../src/profile/profile.ts';

import { takeOwn } from '../../../src/profile/room.ts';
import { foldOne } from '../../support/fold-one.ts';

const BASE_MS = Date.UTC(2026, 5, 1);
const START = { createdAtMs: 0, transactionId: '00000000-0000-0000-0000-000000000000' };
const noAccount: AccountPast = { rows: [], floor: START, ceiling: null, frauds: NO_FRAUDS };
const noMerchant: MerchantPast = {
  rows: [],
  tallies: [],
  horizon: null,
  knownFromMs: 0,
  ceiling: null,
  frauds: NO_FRAUDS,
};

function makeTransaction(offsetMs: number, random: number, currency = 'USD'): Transaction {
  const createdAtMs = BASE_MS + offsetMs;
  const time = createdAtMs.toString(16).padStart(12, '0');
  return {
    transactionId: `${time.slice(0, 8)}-${time.slice(8)}-7abc-8000-${random.toString(16).padStart(12, '0')}`,
    createdAtMs,
    receivedAtMs: createdAtMs,
    accountId: `acc_${random % 3}`,
    merchantId: `m_${random % 4}`,
    amount: String(1 + (random % 500)),
    currency,
    corridor: 'US-EG',
    type: null,
    ip: null,
    deviceId: random % 2 === 0 ? 'phone' : null,
    country: 'US',
    channel: null,
  };
}

const transactions = fc
  .uniqueArray(
    fc.record({
      offsetMs: fc.integer({ min: 0, max: 40 * 86_400_000 }),
      random: fc.nat(2 ** 32),
      currency: fc.constantFrom('USD', 'JPY'),
    }),
    { minLength: 2, maxLength: 60, selector: (one) => one.random },
  )
  .map((list) => list.map((one) => makeTransaction(one.offsetMs, one.random, one.currency)));

/** What Redis would hold after a write. */
function stored(before: Buffer | null, write: ProfileWrite): Buffer {
  const kept = (before ?? Buffer.alloc(0)).subarray(0, write.offset);
  return Buffer.concat([kept, write.bytes, Buffer.from(write.header, 'latin1')]);
}

function decoded<P extends Profile>(kind: ProfileKind<P, unknown>, value: Buffer): P {
  const profile = decodeStored(kind, value);
  if (profile === undefined) throw new Error('not readable');
  return profile;
}

function contents({ list }: Profile): string {
  return Buffer.from(bytesFrom(list, 0)).toString('hex');
}

const kinds = [
  {
    name: 'account',
    kind: accountKind as ProfileKind<Profile, unknown>,
    nothing: noAccount,
  },
  {
    name: 'merchant',
    kind: merchantKind as ProfileKind<Profile, unknown>,
    nothing: noMerchant,
  },
];

describe.each(kinds)('fold of the $name kind', ({ kind, nothing }) => {
  const start = () => kind.rebuild(nothing, null);

  test('ends in the same contents whatever the order', () => {
    fc.assert(
      fc.property(transactions, fc.func(fc.nat()), (list, key) => {
        const shuffled = [...list].sort((a, b) => key(a.transactionId) - key(b.transactionId));
        const [one, other] = [start(), start()];
        for (const transaction of list) foldOne(kind, one, transaction);
        for (const transaction of shuffled) foldOne(kind, other, transaction);
        expect(contents(one)).toBe(contents(other));
        expect(one.list.count).toBe(list.length);
      }),
    );
  });

  test('takes a transaction in once, and sees the same again', () => {
    fc.assert(
      fc.property(transactions, (list) => {
        const profile = start();
        const first = list.map((transaction) => {
          const seen = foldOne(kind, profile, transaction);
          const before = contents(profile);
          expect(foldOne(kind, profile, transaction)).toEqual(seen);
          expect(contents(profile)).toBe(before);
          return seen;
        });
        expect(first.every((history) => history !== undefined)).toBe(true);
      }),
    );
  });

  test('comes back from its bytes as it was', () => {
    fc.assert(
      fc.property(transactions, ([last, ...list]) => {
        const profile = start();
        for (const transaction of list) foldOne(kind, profile, transaction);
        const write = kind.pendingWrite(profile);
        if (write?.offset !== 0 || last === undefined) throw new Error('nothing was written');
        const read = decoded(kind, stored(null, write));
        expect(contents(read)).toBe(contents(profile));
        expect(kind.pendingWrite(read)).toBeUndefined();
        expect(foldOne(kind, read, last)).toEqual(foldOne(kind, profile, last));
      }),
    );
  });

  test('ends, written in deltas, in the bytes of a whole write', () => {
    fc.assert(
      fc.property(transactions, fc.integer({ min: 1, max: 7 }), (list, each) => {
        const whole = start();
        let profile = start();
        let value: Buffer | null = null;
        let version = 0;
        list.forEach((transaction, index) => {
          foldOne(kind, whole, transaction);
          foldOne(kind, profile, transaction);
          if (index % each !== 0) return;
          const write = kind.pendingWrite(profile);
          if (write === undefined) throw new Error('a new transaction must be written');
          expect(write.expected).toEqual(headerOf(value));
          value = stored(value, write);
          version++;
          expect(headerVersion(headerOf(value))).toBe(version);
          profile = decoded(kind, value);
          expect(profile.stored).toBe(write.header);
          expect(contents(profile)).toBe(contents(whole));
          expect(value.subarray(0, -PROFILE_HEADER_BYTES)).toEqual(kind.encode(whole));
        });
      }),
    );
  });

  test('writes arrivals in order as appends of one item each', () => {
    let profile = start();
    let value: Buffer | null = null;
    for (let index = 0; index < 5; index++) {
      foldOne(kind, profile, makeTransaction(index * 1000, index));
      const write = kind.pendingWrite(profile);
      if (write === undefined) throw new Error('a new transaction must be written');
      if (index === 0) expect(write.offset).toBe(0);
      else {
        expect(write.offset).toBeGreaterThan(index * profile.list.itemBytes);
        expect(write.bytes).toHaveLength(profile.list.itemBytes);
      }
      value = stored(value, write);
      profile = decoded(kind, value);
      expect(kind.pendingWrite(profile)).toBeUndefined();
    }
  });

  test('writes an arrival between stored ones from there on, and what a stub stands for whole', () => {
    const profile = start();
    foldOne(kind, profile, makeTransaction(1000, 1));
    const first = kind.pendingWrite(profile);
    if (first === undefined) throw new Error('nothing to write');

    const between = decoded(kind, stored(null, first));
    foldOne(kind, between, makeTransaction(500, 3));
    const { itemBytes } = between.list;
    const offset = first.bytes.length - itemBytes;
    const write = kind.pendingWrite(between);
    expect(write).toMatchObject({ offset, expected: first.header });
    expect(write?.bytes).toHaveLength(2 * itemBytes);

    const body = {
      view: new DataView(new Uint8Array(first.bytes).buffer),
      length: first.bytes.length,
    };
    const stub = kind.decode(body, stubOf(first.header), takeOwn);
    if (stub === undefined) throw new Error('not readable');
    replaceStored(stub.list);
    expect(kind.pendingWrite(stub)).toMatchObject({ offset: 0, expected: stubOf(first.header) });
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a header alone', Buffer.alloc(8, 0x71)],
    ['an unknown format', Buffer.alloc(200, 0xff)],
  ])('does not read %s', (_, bytes) => {
    expect(decodeStored(kind, bytes)).toBeUndefined();
  });

  test('does not read a value cut within an item', () => {
    const profile = start();
    foldOne(kind, profile, makeTransaction(1, 1));
    const write = kind.pendingWrite(profile);
    if (write === undefined) throw new Error('nothing was written');
    const value = stored(null, write);
    expect(decodeStored(kind, value)).toBeDefined();
    expect(decodeStored(kind, value.subarray(1))).toBeUndefined();
  });

  test('tells a rebuilt value from a lost one of the same version', () => {
    const [lost, rebuilt] = [start(), start()];
    foldOne(kind, lost, makeTransaction(1, 1));
    foldOne(kind, rebuilt, makeTransaction(2, 2));
    const [one, other] = [kind.pendingWrite(lost)?.header, kind.pendingWrite(rebuilt)?.header];
    expect(headerVersion(one ?? null)).toBe(headerVersion(other ?? null));
    expect(one).not.toEqual(other);
  });
});

describe('bounds', () => {
  test('an account keeps its newest entries and knows its floor', () => {
    const profile = accountKind.rebuild(noAccount, null);
    for (let index = 0; index <= ACCOUNT_PROFILE_ENTRIES; index++) {
      expect(foldOne(accountKind, profile, makeTransaction(index * 1000, index))).toBeDefined();
    }
    expect(profile.list.count).toBe(ACCOUNT_KEPT_ENTRIES);
    const dropped = ACCOUNT_PROFILE_ENTRIES - ACCOUNT_KEPT_ENTRIES;
    expect(profile.floor.ms).toBe(BASE_MS + dropped * 1000);
    const before = contents(profile);
    expect(foldOne(accountKind, profile, makeTransaction(dropped * 1000, dropped))).toBeUndefined();
    expect(foldOne(accountKind, profile, makeTransaction(dropped * 1000 + 1, 1))).toBeUndefined();
    expect(contents(profile)).toBe(before);
  });

  test('a merchant counts on what it no longer lists, and takes in nothing that may be counted', () => {
    const profile = merchantKind.rebuild(noMerchant, null);
    for (let index = 0; index <= MERCHANT_RECENT_ENTRIES; index++) {
      foldOne(merchantKind, profile, makeTransaction(index * 1000, index));
    }
    expect(profile.list.count).toBe(MERCHANT_KEPT_ENTRIES);
    const next = makeTransaction((MERCHANT_RECENT_ENTRIES + 1) * 1000, 9);
    const history = { merchant_count_30d: MERCHANT_RECENT_ENTRIES + 1 };
    expect(foldOne(merchantKind, profile, next)).toMatchObject(history);
    expect(foldOne(merchantKind, profile, makeTransaction(5, 5))).toBeUndefined();
    expect(foldOne(merchantKind, profile, next)).toMatchObject(history);
    expect(profile.list.count).toBe(MERCHANT_KEPT_ENTRIES + 1);
  });

  test('a rebuild that did not read to the end takes in nothing beyond its ceiling', () => {
    const [known, beyond] = [makeTransaction(1000, 1), makeTransaction(1000, 2)];
    const past = { ...noAccount, rows: [known], ceiling: known };
    const profile = accountKind.rebuild(past, null);
    expect(foldOne(accountKind, profile, known)).toBeDefined();
    expect(foldOne(accountKind, profile, beyond)).toBeUndefined();
  });
});
