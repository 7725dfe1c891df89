/**
 * Goal: of two profiles with the same rows, one of which does not reach on or knows of other frauds, neither passes
 * for the other. Method: the headers that they would be stored under, and what is read back.
 */
import { expect, test } from 'vitest';
import {
  type AccountPast,
  type KnownFrauds,
  LABEL_MATURITY_DAYS,
  type MerchantPast,
  NO_FRAUDS,
  type PastTransaction,
} from '../../../src/domain/history.ts';
import { accountKind } from '../../../src/profile/account-kind.ts';
import { createMerchantKind, merchantKind } from '../../../src/profile/merchant-kind.ts';
import { decodeStored, type Profile, type ProfileKind } from '../../../src/profile/profile.ts';

const DAY_MS = 86_400_000;

function makeRow(second: number): PastTransaction {
  const createdAtMs = Date.UTC(2026, 5, 1) + second * 1000;
  const time = createdAtMs.toString(16).padStart(12, '0');
  return {
    transactionId: `${time.slice(0, 8)}-${time.slice(8)}-7abc-8000-${String(second).padStart(12, '0')}`,
    createdAtMs,
    accountId: 'acc_1',
    merchantId: 'm_1',
    amount: '10',
    currency: 'USD',
    corridor: 'US-EG',
    deviceId: null,
    country: 'US',
  };
}

const [row, later] = [makeRow(1), makeRow(2)];
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

function headerOf<P extends Profile, Past>(kind: ProfileKind<P, Past>, past: Past): string {
  const write = kind.pendingWrite(kind.rebuild(past, null));
  if (write === undefined) throw new Error('a rebuilt profile must be written');
  return write.header;
}

test.each([
  ['a ceiling', { ceiling: row }],
  ['another floor', { floor: later }],
  ['a fraud', { frauds: fraud }],
  ['a fraud taken back', { frauds: takenBack }],
])('an account with %s is another value', (_, other) => {
  expect(headerOf(accountKind, account)).toBe(headerOf(accountKind, { ...account }));
  expect(headerOf(accountKind, { ...account, ...other })).not.toBe(headerOf(accountKind, account));
});

test.each([
  ['a ceiling', { ceiling: row }],
  ['a horizon', { horizon: later }],
  ['a fraud', { frauds: fraud }],
  ['a fraud taken back', { frauds: takenBack }],
  ['a later day from which it knows', { knownFromMs: DAY_MS }],
])('a merchant with %s is another value', (_, other) => {
  expect(headerOf(merchantKind, merchant)).toBe(headerOf(merchantKind, { ...merchant }));
  expect(headerOf(merchantKind, { ...merchant, ...other })).not.toBe(
    headerOf(merchantKind, merchant),
  );
});

test('a fraud of another kind is another value', () => {
  expect(headerOf(merchantKind, { ...merchant, frauds: unusual })).not.toBe(
    headerOf(merchantKind, { ...merchant, frauds: fraud }),
  );
});

function storedAs<P extends Profile, Past>(kind: ProfileKind<P, Past>, past: Past): Buffer {
  const encoded = kind.encode(kind.rebuild(past, null));
  return Buffer.concat([encoded, Buffer.from(headerOf(kind, past), 'latin1')]);
}

test('what is known of frauds comes back as it was stored', () => {
  const ofAccount = storedAs(accountKind, { ...account, frauds: fraud });
  expect(decodeStored(accountKind, ofAccount)?.frauds).toEqual(fraud);
  const ofMerchant = storedAs(merchantKind, { ...merchant, frauds: takenBack });
  expect(decodeStored(merchantKind, ofMerchant)?.frauds).toEqual(takenBack);
});

test('a merchant whose tallies are of another maturity of labels is rebuilt', () => {
  const stored = storedAs(merchantKind, merchant);
  expect(decodeStored(merchantKind, stored)).toBeDefined();
  expect(decodeStored(createMerchantKind(LABEL_MATURITY_DAYS + 1), stored)).toBeUndefined();
});

test('a merchant of another maturity of labels is another value, also where it knows from as much earlier', () => {
  const longer = createMerchantKind(LABEL_MATURITY_DAYS + 1);
  expect(headerOf(longer, { ...merchant, knownFromMs: -DAY_MS })).not.toBe(
    headerOf(merchantKind, merchant),
  );
});
