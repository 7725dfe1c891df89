/** Goal: a snapshot keeps the frauds of a rebuild and how far it reached. Method: snapshots are read back. */
import { expect, test } from 'vitest';
import {
  type AccountPast,
  type KnownFrauds,
  LABEL_MATURITY_DAYS,
  type MerchantPast,
  NO_FRAUDS,
} from '../../../../src/core/domain/history.ts';
import {
  accountKind,
  createMerchantKind,
  merchantKind,
} from '../../../../src/core/profile/kinds.ts';
import { AFTER_ALL, BEFORE_ALL, keyOf, takeOwn } from '../../../../src/core/profile/packed-list.ts';
import type { Profile, ProfileKind } from '../../../../src/core/profile/profile.ts';
import { encodeSnapshot, readLog } from '../../../../src/core/profile/profile.ts';
import { transactionAt } from '../../../support/transactions.ts';

const DAY_MS = 86_400_000;

const START_MS = Date.UTC(2026, 5, 1);
const [row, later] = [transactionAt(START_MS, 1), transactionAt(START_MS + 1000, 2)];
const account: AccountPast = {
  rows: [row],
  floor: { createdAtMs: 0, transactionId: '00000000-0000-0000-0000-000000000000' },
  ceiling: null,
  frauds: NO_FRAUDS,
};
const merchant: MerchantPast = {
  ...{ rows: [row], tallies: [], horizon: null, knownFromMs: 0, ceiling: null, frauds: NO_FRAUDS },
};

const span = {
  createdAtMs: row.createdAtMs,
  fromMs: row.createdAtMs + DAY_MS,
  untilMs: Number.POSITIVE_INFINITY,
  isUnusual: false,
};
const fraud: KnownFrauds = { ...NO_FRAUDS, spans: [span] };
const unusual: KnownFrauds = { ...NO_FRAUDS, spans: [{ ...span, isUnusual: true }] };
const takenBack: KnownFrauds = {
  ...NO_FRAUDS,
  spans: [{ ...span, untilMs: row.createdAtMs + 2 * DAY_MS }],
};

function logOf<P extends Profile, Past>(kind: ProfileKind<P, Past>, past: Past): Uint8Array {
  return encodeSnapshot(kind, kind.rebuild(past), { high: 1, low: 2 });
}

function readBack<P extends Profile, Past>(kind: ProfileKind<P, Past>, past: Past) {
  return readLog(kind, logOf(kind, past), takeOwn)?.profile;
}

test('where a profile begins and ends comes back as it was stored', () => {
  const reach = { floor: row, ceiling: later };
  expect(readBack(accountKind, { ...account, ...reach })).toMatchObject({
    floor: keyOf(row),
    ceiling: keyOf(later),
  });
  expect(readBack(accountKind, account)?.ceiling).toBe(AFTER_ALL);
  expect(
    readBack(merchantKind, { ...merchant, horizon: row, ceiling: later, knownFromMs: DAY_MS }),
  ).toMatchObject({ horizon: keyOf(row), ceiling: keyOf(later), knownFromMs: DAY_MS });
  expect(readBack(merchantKind, merchant)?.horizon).toBe(BEFORE_ALL);
});

test('what is known of frauds comes back as it was stored', () => {
  expect(readBack(accountKind, { ...account, frauds: fraud })?.frauds).toEqual(fraud);
  expect(readBack(merchantKind, { ...merchant, frauds: takenBack })?.frauds).toEqual(takenBack);
  expect(readBack(merchantKind, { ...merchant, frauds: unusual })?.frauds).toEqual(unusual);
});

test('a merchant whose tallies are of another maturity of labels is rebuilt', () => {
  const log = logOf(merchantKind, merchant);
  expect(readLog(merchantKind, log, takeOwn)).toBeDefined();
  expect(readLog(createMerchantKind(LABEL_MATURITY_DAYS + 1), log, takeOwn)).toBeUndefined();
});
