/**
 * Goal: a log that is damaged is not read, and profiles keep their bounds. What folds and logs see, properties over stores and golden
 * vectors prove. Method: profiles at their bounds.
 */
import { describe, expect, test } from 'vitest';
import {
  type AccountPast,
  type MerchantPast,
  NO_FRAUDS,
} from '../../../../src/core/domain/history.ts';
import type { Transaction } from '../../../../src/core/domain/transaction.ts';
import { numbersOf } from '../../../../src/core/profile/account-numbers.ts';
import {
  ACCOUNT_CUT_ENTRIES,
  ACCOUNT_PROFILE_ENTRIES,
} from '../../../../src/core/profile/account-profile.ts';
import { arrivalsOf } from '../../../../src/core/profile/arrivals.ts';
import {
  accountKind,
  createAccountKind,
  merchantKind,
} from '../../../../src/core/profile/kinds.ts';
import {
  MERCHANT_CUT_ENTRIES,
  MERCHANT_RECENT_ENTRIES,
} from '../../../../src/core/profile/merchant-profile.ts';
import { packedBytes, takeOwn } from '../../../../src/core/profile/packed-list.ts';
import type { Profile, ProfileKind } from '../../../../src/core/profile/profile.ts';
import {
  BLOCK_BYTES,
  beginRecords,
  encodeSnapshot,
  endBlock,
  mergeBlocks,
  readLog,
} from '../../../../src/core/profile/profile.ts';
import { foldOne } from '../../../support/fold-one.ts';
import { SLOTS } from '../../../support/market-table.ts';
import { transactionAt } from '../../../support/transactions.ts';

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

function makeTransaction(offsetMs: number, random: number): Transaction {
  return transactionAt(BASE_MS + offsetMs, random, {
    accountId: `acc_${random % 3}`,
    merchantId: `m_${random % 4}`,
    amount: String(1 + (random % 500)),
    deviceId: random % 2 === 0 ? 'phone' : null,
  });
}

type Kind = ProfileKind<Profile, unknown>;
const STAMP = { high: 0xdeadbeef, low: 7 };

/** The blocks that one batch appends. */
function block(kind: Kind, list: readonly Transaction[]): Buffer {
  const bytes = list.length * kind.recordBytes;
  const view = new DataView(new ArrayBuffer(bytes + BLOCK_BYTES));
  let at = beginRecords(view, 0, kind.layout.format, bytes);
  const arrivals = arrivalsOf(list);
  for (let index = 0; index < list.length; index++, at += kind.recordBytes) {
    kind.writeRecord(view, at, arrivals, index);
  }
  endBlock(view, at, STAMP);
  return Buffer.from(view.buffer);
}

const read = (kind: Kind, log: Uint8Array) => readLog(kind, log, takeOwn)?.profile;

function contents({ list }: Profile): string {
  return Buffer.from(packedBytes(list)).toString('hex');
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
  {
    name: 'account with a number',
    kind: createAccountKind(7, numbersOf(SLOTS)) as ProfileKind<Profile, unknown>,
    nothing: noAccount,
  },
];

describe.each(kinds)('fold of the $name kind', ({ kind, nothing }) => {
  const start = () => kind.rebuild(nothing);

  test('does not read what is no log of its own', () => {
    const profile = start();
    foldOne(kind, profile, makeTransaction(1, 1));
    const log = Buffer.from(encodeSnapshot(kind, profile, STAMP));
    const records = block(kind, [makeTransaction(2, 2)]);
    expect(read(kind, Buffer.concat([log, records]))?.list.count).toBe(2);
    const another = Buffer.concat([log, records]);
    another[log.length] = 0xff;
    const shorter = Buffer.from(log);
    shorter.writeUInt32LE(shorter.readUInt32LE() - 256);
    const unreadable = [
      Buffer.alloc(0),
      Buffer.alloc(8, kind.layout.format),
      Buffer.alloc(200, 0xff),
      records,
      Buffer.concat([records, log]),
      log.subarray(0, -1),
      another,
      Buffer.concat([log, records.subarray(0, -1)]),
      shorter,
    ];
    for (const bytes of unreadable) expect(read(kind, bytes)).toBeUndefined();
    for (let length = 0; length < log.readUInt32LE() >>> 8; length++) {
      const short = Buffer.from(log);
      short.writeUInt32LE((length << 8) | kind.layout.format);
      expect(read(kind, short)).toBeUndefined();
    }
    // A count that is too large reaches beyond the log.
    for (let at = 4; at < log.length - 8; at += 4) {
      const large = Buffer.from(log);
      large.writeUInt32LE(0xffffff, at);
      expect(() => read(kind, large)).not.toThrow();
    }
  });
});

test('an account does not merge records with another number, or of another declaration', () => {
  const declare = (...all: readonly (readonly [string, number])[]) =>
    createAccountKind(
      7,
      numbersOf(
        all.map(([field, declaredAtMs]) => ({
          ...{ field, declaredAtMs, type: 'number', kind: 'to_account' },
        })),
      ),
    ) as Kind;
  const kind = declare(['distance', 1]);
  const merged = (other: Kind, into = kind) =>
    mergeBlocks(into, into.rebuild(noAccount), block(other, [makeTransaction(1, 1)]));
  expect(merged(kind)).toBe(1);
  const others = [accountKind as Kind, declare(['weight', 1]), declare(['distance', 2])];
  for (const other of [...others, declare(['distance', 1], ['weight', 1])]) {
    expect([merged(other), merged(kind, other)]).toEqual([-1, -1]);
    expect(read(kind, encodeSnapshot(other, other.rebuild(noAccount), STAMP))).toBeUndefined();
  }
});

test('a kind is made anew where the same number has another slot', () => {
  const slots = SLOTS.filter(({ kind }) => kind === 'to_account');
  const kind = createAccountKind(7);
  for (const before of [0, 1]) {
    const numbers = numbersOf([...Array(before).fill({ field: 'other', kind: 'tail' }), ...slots]);
    expect(kind.withNumbers?.(numbers).numbers?.slots).toEqual(numbers.slots);
  }
});

describe('bounds', () => {
  test('an account keeps its newest entries and knows its floor', () => {
    const profile = accountKind.rebuild(noAccount);
    for (let index = 0; index <= ACCOUNT_PROFILE_ENTRIES; index++) {
      expect(foldOne(accountKind, profile, makeTransaction(index * 1000, index))).toBeDefined();
    }
    expect(profile.list.count).toBe(ACCOUNT_CUT_ENTRIES);
    const dropped = ACCOUNT_PROFILE_ENTRIES - ACCOUNT_CUT_ENTRIES;
    expect(profile.floor.ms).toBe(BASE_MS + dropped * 1000);
    const before = contents(profile);
    expect(foldOne(accountKind, profile, makeTransaction(dropped * 1000, dropped))).toBeUndefined();
    expect(foldOne(accountKind, profile, makeTransaction(dropped * 1000 + 1, 1))).toBeUndefined();
    expect(contents(profile)).toBe(before);
  });

  test('a merchant counts on what it no longer lists, and takes in nothing that may be counted', () => {
    const profile = merchantKind.rebuild(noMerchant);
    for (let index = 0; index <= MERCHANT_RECENT_ENTRIES; index++) {
      foldOne(merchantKind, profile, makeTransaction(index * 1000, index));
    }
    const kept = MERCHANT_RECENT_ENTRIES - MERCHANT_CUT_ENTRIES;
    expect(profile.list.count).toBe(kept);
    const next = makeTransaction((MERCHANT_RECENT_ENTRIES + 1) * 1000, 9);
    const history = { merchant_count_30d: MERCHANT_RECENT_ENTRIES + 1 };
    expect(foldOne(merchantKind, profile, next)).toMatchObject(history);
    expect(foldOne(merchantKind, profile, makeTransaction(5, 5))).toBeUndefined();
    expect(foldOne(merchantKind, profile, next)).toMatchObject(history);
    expect(profile.list.count).toBe(kept + 1);
  });

  test('an account takes in what others folded as long as it is seen, a merchant where it knows what it counts', () => {
    const [early, late, next] = [0, 100, 50].map((second) =>
      makeTransaction(second * 1000, second),
    ) as [Transaction, Transaction, Transaction];
    const ofAccount = accountKind.rebuild({ ...noAccount, rows: [late], floor: early });
    const ofMerchant = merchantKind.rebuild({ ...noMerchant, rows: [late], horizon: early });
    const record = (kind: Kind, one: Transaction) =>
      mergeBlocks(kind, kind === kinds[0]?.kind ? ofAccount : ofMerchant, block(kind, [one]));
    for (const { kind } of kinds.slice(0, 2)) expect(record(kind, next)).toBe(1);
    expect([ofAccount.list.count, ofMerchant.list.count]).toEqual([2, 2]);
    expect(record(accountKind as Kind, early)).toBe(1);
    expect(record(merchantKind as Kind, early)).toBe(-1);
    expect(ofAccount.list.count).toBe(2);
    ofMerchant.knownFromMs = BASE_MS;
    expect(record(merchantKind as Kind, early)).toBe(-1);
    ofMerchant.knownFromMs = BASE_MS + 86_400_000;
    expect(record(merchantKind as Kind, early)).toBe(1);
    expect(ofMerchant.list.count).toBe(2);
  });

  test.each(kinds)(
    'a rebuild of the $name kind that did not read to the end takes in nothing beyond its ceiling',
    ({ kind, nothing }) => {
      const [known, beyond] = [makeTransaction(1000, 1), makeTransaction(1000, 2)];
      const profile = kind.rebuild({ ...nothing, rows: [known], ceiling: known });
      expect(foldOne(kind, profile, known)).toBeDefined();
      expect(foldOne(kind, profile, beyond)).toBeUndefined();
      expect(mergeBlocks(kind, profile, block(kind, [beyond]))).toBe(1);
      expect(profile.list.count).toBe(1);
    },
  );

  test.each(kinds)('what others folded leaves the $name kind within its bounds', (of) => {
    const profile = of.kind.rebuild(of.nothing);
    const list = Array.from({ length: 1300 }, (_, index) => makeTransaction(index * 1000, index));
    mergeBlocks(of.kind, profile, block(of.kind, list));
    const most = of.name === 'merchant' ? MERCHANT_RECENT_ENTRIES : ACCOUNT_PROFILE_ENTRIES;
    expect(profile.list.count).toBeLessThanOrEqual(most);
  });

  test('an account is complete with 256 siblings, or with all of 180 days', () => {
    const next = makeTransaction(300_000, 300);
    const isFolded = (past: Partial<AccountPast>) =>
      foldOne(accountKind, accountKind.rebuild({ ...noAccount, ...past }), next) !== undefined;
    const rows = Array.from({ length: 256 }, (_, index) => makeTransaction(1000 + index, index));
    const floor = makeTransaction(0, 0);
    expect([isFolded({ rows, floor }), isFolded({ rows: rows.slice(1), floor })]).toEqual([
      true,
      false,
    ]);
    const at = (ms: number) => makeTransaction(300_000 - 180 * 86_400_000 + ms, 0);
    expect([isFolded({ floor: at(0) }), isFolded({ floor: at(1) })]).toEqual([true, false]);
  });

  test('a merchant is complete where it knows all siblings of the windows, or 256 and their tallies', () => {
    const next = makeTransaction(300_000, 300);
    const isFolded = (past: Partial<MerchantPast>) =>
      foldOne(merchantKind, merchantKind.rebuild({ ...noMerchant, ...past }), next) !== undefined;
    const sinceMs = BASE_MS - (7 + 89) * 86_400_000;
    expect([sinceMs, sinceMs + 1].map((knownFromMs) => isFolded({ knownFromMs }))).toEqual([
      true,
      false,
    ]);
    const span = { createdAtMs: BASE_MS, fromMs: BASE_MS + 1, untilMs: Infinity, isUnusual: false };
    const knowing = (floorMs: number) => isFolded({ frauds: { spans: [span], floorMs } });
    expect([knowing(sinceMs - 1), knowing(sinceMs)]).toEqual([true, false]);
    const rows = Array.from({ length: 256 }, (_, index) => makeTransaction(1000 + index, index));
    const horizon = makeTransaction(0, 0);
    expect([
      isFolded({ rows, horizon }),
      isFolded({ rows: rows.slice(1), horizon }),
      isFolded({ rows: rows.slice(1), horizon: makeTransaction(-1, 0) }),
      isFolded({ horizon: makeTransaction(-1, 0) }),
      isFolded({ horizon: transactionAt(sinceMs - 1, 0) }),
      isFolded({ horizon: transactionAt(sinceMs, 0) }),
    ]).toEqual([true, false, true, false, true, false]);
  });
});
