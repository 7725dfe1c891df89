/**
 * Goal: folds fill the rows of features as they always did, to the last bit; test/property/profile/history.test.ts compares them with the
 * definition. Method: accounts and merchants, arrival by arrival: late ones, several currencies, frauds, nights, missing countries and
 * devices, tallies, sums beyond what a double holds exactly. A digest that differs is never mended by writing the new one; a new
 * feature adds its own.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FEATURE_COUNT_MIN, FEATURE_LIST } from '../../src/core/domain/feature-schema.ts';
import type { FraudSpan } from '../../src/core/domain/history.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { createAccountKind } from '../../src/core/profile/kinds.ts';
import { numbersOf } from '../../src/core/profile/account-numbers.ts';
import { beginDayRows } from '../../src/core/profile/day-features.ts';
import { merchantKind } from '../../src/core/profile/kinds.ts';
import { SHARED_KINDS, type SharedProfile } from '../../src/core/profile/shared-profile.ts';
import { MERCHANT_RECENT_ENTRIES } from '../../src/core/profile/merchant-profile.ts';
import { rowAt, vectorOf } from '../../src/core/domain/feature-rows.ts';
import { createRandom } from '../../src/kit/random.ts';
import { DAY_MS, HOUR_MS } from '../../src/kit/words/range.ts';
import { MARKET_TABLE, SLOTS } from '../support/market-table.ts';

/** By name: SHA-256 of the values of each feature. */
const DIGESTS: Readonly<Record<string, Readonly<Record<string, string>>>> = JSON.parse(
  readFileSync(new URL('./features.json', import.meta.url), 'utf8'),
);
const NAMES = [
  ...FEATURE_LIST.map(({ name }) => name),
  ...SLOTS.map(({ field, kind }) => `${field}_${kind}`),
];
const accountKind = createAccountKind(7, numbersOf(SLOTS));
const START_MS = Date.UTC(2026, 4, 30, 22, 15);
const FIRST = { createdAtMs: 0, transactionId: '00000000-0000-0000-0000-000000000000' };

type World = {
  readonly seed: number;
  readonly count: number;
  /** Mean time between arrivals. */
  readonly stepMs: number;
  /** Greatest lateness, in arrivals. */
  readonly late: number;
  readonly currencies: readonly string[];
  readonly amountMax: number;
  readonly frauds: number;
  readonly tallied: boolean;
};

/** Worlds of every kind in turn; sizes and seeds differ. */
const WORLDS: readonly World[] = Array.from({ length: 24 }, (_, seed) => {
  const oneOf = <T>(values: readonly T[], turn: number) => values[turn % values.length] as T;
  return {
    seed,
    count: 20 + ((seed * 37) % 320),
    stepMs: oneOf([1, 60_000, HOUR_MS / 4, 5 * HOUR_MS, DAY_MS, 3 * DAY_MS], seed),
    late: oneOf([0, 3, 300], seed + Math.floor(seed / 6)),
    currencies: oneOf([['USD'], ['USD', 'JPY', 'KWD']], seed + Math.floor(seed / 12)),
    amountMax: oneOf([20_000, 3, 9_999_999, 999_999_999_999_999], Math.floor(seed / 3)),
    frauds: oneOf([5, 0, 40], Math.floor(seed / 2)),
    tallied: seed % 4 < 2,
  };
});

/** Merchants whose lists overflow. */
const BUSY: readonly World[] = [
  { stepMs: 20_000, late: 5 },
  { stepMs: 6 * 60_000, late: 0 },
  { stepMs: HOUR_MS, late: 40 },
].map((pace) => ({
  ...{ seed: 7, count: 2 * MERCHANT_RECENT_ENTRIES, currencies: ['USD', 'JPY'] },
  ...{ amountMax: 5000, frauds: 30, tallied: true },
  ...pace,
}));

function makeTransactions(world: World): Transaction[] {
  const random = createRandom(`features ${world.seed}`);
  const below = (bound: number) => Math.floor(random() * bound);
  const oneOf = <T>(values: readonly T[]) => values[below(values.length)] as T;
  return Array.from({ length: world.count }, (_, index) => {
    const key = index - (below(4) === 0 ? below(world.late + 1) : 0);
    const createdAtMs = START_MS + Math.floor((key + random()) * world.stepMs);
    const time = createdAtMs.toString(16).padStart(12, '0');
    const currency = oneOf(world.currencies);
    const units = 1 + below(world.amountMax);
    return {
      transactionId: `${time.slice(0, 8)}-${time.slice(8)}-7${below(4096).toString(16).padStart(3, '0')}-8000-${index.toString(16).padStart(12, '0')}`,
      createdAtMs,
      receivedAtMs: createdAtMs,
      accountId: 'acc_1',
      merchantId: 'm_1',
      amount: currency === 'JPY' ? String(units) : `${units}.${10 + below(90)}`,
      currency,
      corridor: oneOf(['US-EG', 'US-US', 'US-MX']),
      type: null,
      ip: oneOf(['192.0.2.1', null]),
      deviceId: oneOf(['phone', 'laptop', null]),
      country: oneOf(['US', 'EG', 'FR', null]),
      channel: null,
      declared: null,
    };
  });
}

const fieldsOf = (index: number) => ({
  segment: ['gold', 'basic', 'new'][index % 3],
  distance: (index % 5) ** (index % 9) - 3,
  ...(index % 2 === 0 && { known: index % 4 === 0 }),
});

/** Parties of many transactions share them, so each account and merchant sees some of the others'. */
function spread(transactions: readonly Transaction[]): Transaction[] {
  return transactions.map((transaction, index) => ({
    ...transaction,
    accountId: index % 5 === 0 ? 'acc_2' : 'acc_1',
    merchantId: `m_${index % 3 === 0 ? 1 : index % 4}`,
    type: ['transfer', 'card', null][index % 3] as string | null,
    channel: ['app', 'web', null, 'app'][index % 4] as string | null,
    declared: index % 7 === 0 ? null : JSON.stringify(fieldsOf(index)),
  }));
}

function makeFrauds(world: World): FraudSpan[] {
  const random = createRandom(`frauds ${world.seed}`);
  const spanMs = world.count * world.stepMs + 20 * DAY_MS;
  return Array.from({ length: world.frauds }, (): FraudSpan => {
    const createdAtMs = START_MS - 20 * DAY_MS + Math.floor(random() * spanMs);
    const fromMs = createdAtMs + Math.floor(random() * 9) * DAY_MS;
    const isTakenBack = random() < 0.2;
    return {
      ...{ createdAtMs, fromMs, isUnusual: random() < 0.4 },
      untilMs: isTakenBack ? fromMs + 3 * DAY_MS : Number.POSITIVE_INFINITY,
    };
  }).sort((a, b) => a.createdAtMs - b.createdAtMs);
}

function makeParties(world: World) {
  const frauds = { spans: makeFrauds(world), floorMs: Number.NEGATIVE_INFINITY };
  const account = accountKind.rebuild({ rows: [], floor: FIRST, ceiling: null, frauds });
  const makeTally = (bucketMs: number, daily: boolean) =>
    world.currencies.map((currency, index) => ({
      ...{ bucketMs, daily, currency, count: 3 + index, sum: '40' },
    }));
  const dayMs = Math.floor(START_MS / DAY_MS) * DAY_MS;
  const days = Array.from({ length: 40 }, (_, day) => makeTally(dayMs - (60 - day) * DAY_MS, true));
  const hours = Array.from({ length: 100 }, (_, hour) =>
    makeTally(dayMs - DAY_MS - hour * HOUR_MS, false),
  );
  const known = makeTransactions({ ...world, count: 1, late: 0 })[0] as Transaction;
  const merchant = merchantKind.rebuild({
    // The newest sibling is in the list, as tallies have no times.
    rows: world.tallied ? [{ ...known, createdAtMs: START_MS - HOUR_MS }] : [],
    tallies: world.tallied ? [...days, ...hours].flat() : [],
    horizon: world.tallied ? { ...FIRST, createdAtMs: START_MS - 2 * HOUR_MS } : null,
    ...{ knownFromMs: 0, ceiling: null, frauds },
  });
  // A profile of all devices, and one of all networks: what both see depends on the order alone.
  const oldest = { sinceMs: 0, times: [], toMs: Infinity };
  const past = { rows: [], floor: FIRST, ceiling: null, frauds, oldest };
  const shared = SHARED_KINDS.map((kind) => kind.rebuild(past));
  return { account, merchant, shared };
}

/** Rows of all arrivals that their profiles reach. */
function foldAll(world: World): Float64Array[] {
  const transactions = spread(makeTransactions(world));
  const { account, merchant, shared } = makeParties(world);
  const tables = transactions.map(() => (world.seed % 4 === 0 ? null : MARKET_TABLE));
  const { arrivals, rows } = beginDayRows(transactions, { slots: SLOTS, tables });
  return transactions.flatMap((_, index) => {
    const at = rowAt(rows, index);
    const isFolded =
      accountKind.fold(account, arrivals, index, rows.values, at) &&
      merchantKind.fold(merchant, arrivals, index, rows.values, at);
    for (const [nth, kind] of SHARED_KINDS.entries()) {
      const isOfKind = kind.partyOf(transactions[index] as Transaction) !== null;
      if (isOfKind) kind.fold(shared[nth] as SharedProfile, arrivals, index, rows.values, at);
    }
    return isFolded ? [vectorOf(rows, index)] : [];
  });
}

/** SHA-256 of a feature's values in all rows, as text: processors differ in the bits of NaN. */
function digestOf(rows: readonly Float64Array[], feature: number): string {
  const texts = rows.map(({ [feature]: value }) => (Object.is(value, -0) ? '-0' : String(value)));
  return createHash('sha256').update(texts.join()).digest('hex');
}

test.each([
  ['worlds', WORLDS, 3000],
  ['busy merchants', BUSY, 3 * MERCHANT_RECENT_ENTRIES],
])('%s', (name, worlds, least) => {
  const rows = worlds.flatMap(foldAll);
  expect(rows.length).toBeGreaterThan(least);
  // A feature that nobody writes yet has no digest.
  const digests = NAMES.flatMap((feature, index) =>
    index >= FEATURE_COUNT_MIN && rows.every((row) => Number.isNaN(row[index]))
      ? []
      : [[feature, digestOf(rows, index)]],
  );
  expect(Object.fromEntries(digests)).toEqual(DIGESTS[name]);
});
