/**
 * Goal: the rows that folds fill are the oracle's, bit for bit. Method: random accounts and merchants, arrival by
 * arrival: late ones, several currencies, frauds, nights, missing countries and devices, tallies, sums beyond what a
 * double holds exactly.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FEATURE_LIST } from '../../../../src/core/domain/feature-schema.ts';
import type { FraudSpan } from '../../../../src/core/domain/history.ts';
import type { Transaction } from '../../../../src/core/domain/transaction.ts';
import { accountKind } from '../../../../src/core/profile/account-kind.ts';
import { arrivalsOf } from '../../../../src/core/profile/arrivals.ts';
import { merchantKind } from '../../../../src/core/profile/merchant-kind.ts';
import { MERCHANT_RECENT_ENTRIES } from '../../../../src/core/profile/merchant-profile.ts';
import { beginRows } from '../../../../src/core/profile/own-features.ts';
import { rowAt, vectorOf } from '../../../../src/core/score/feature-rows.ts';
import { createRandom } from '../../../../src/kit/random.ts';
import { DAY_MS, HOUR_MS } from '../../../../src/kit/words/utc-bucket.ts';
import { oracleVector } from '../../../support/oracle/vector.ts';

/** Tens of thousands of rows, on a machine with other work. */
const TIMEOUT_MS = 60_000;
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

const worlds: fc.Arbitrary<World> = fc.record({
  seed: fc.nat(),
  count: fc.integer({ min: 1, max: 340 }),
  stepMs: fc.constantFrom(1, 60_000, HOUR_MS / 4, 5 * HOUR_MS, DAY_MS, 3 * DAY_MS),
  late: fc.constantFrom(0, 0, 3, 300),
  currencies: fc.constantFrom(['USD'], ['USD', 'JPY', 'KWD']),
  amountMax: fc.constantFrom(3, 20_000, 9_999_999, 999_999_999_999_999),
  frauds: fc.constantFrom(0, 0, 5, 40),
  tallied: fc.boolean(),
});

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

/** Parties of many transactions share them, so each account and merchant sees some of the others'. */
function spread(transactions: readonly Transaction[]): Transaction[] {
  return transactions.map((transaction, index) => ({
    ...transaction,
    accountId: index % 5 === 0 ? 'acc_2' : 'acc_1',
    merchantId: `m_${index % 3 === 0 ? 1 : index % 4}`,
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
  return { account, merchant };
}

/** How many arrivals were folded, each n-th of which is compared; the profile does not reach the others. */
function compare(world: World, nth = 1): number {
  const transactions = spread(makeTransactions(world));
  const { account, merchant } = makeParties(world);
  const { arrivals, rows } = beginRows(arrivalsOf(transactions));
  let folded = 0;
  for (const [index, transaction] of transactions.entries()) {
    const expected = index % nth === 0 ? oracleVector(transaction, account, merchant) : [];
    const at = rowAt(index);
    const isFolded =
      accountKind.fold(account, arrivals, index, rows.values, at) &&
      merchantKind.fold(merchant, arrivals, index, rows.values, at);
    if (!isFolded) continue;
    folded++;
    const actual = vectorOf(rows, index);
    for (const [feature, value] of expected.entries()) {
      if (Object.is(actual[feature], value)) continue;
      const about = { name: FEATURE_LIST[feature]?.name, index };
      expect({ ...about, value: actual[feature] }).toEqual({ ...about, value });
    }
  }
  return folded;
}

describe('a row of features', () => {
  test(
    'is the oracle’s, bit for bit',
    () => {
      let compared = 0;
      fc.assert(
        fc.property(worlds, (world) => {
          compared += compare(world);
        }),
        { numRuns: 50 },
      );
      expect(compared).toBeGreaterThan(3000);
    },
    TIMEOUT_MS,
  );

  test.each([
    { stepMs: 20_000, late: 5 },
    { stepMs: 6 * 60_000, late: 0 },
    { stepMs: HOUR_MS, late: 40 },
  ])(
    'is that of a merchant whose list overflows, an arrival each $stepMs ms',
    (pace) => {
      const count = 2 * MERCHANT_RECENT_ENTRIES;
      const world = { ...{ seed: 7, count, currencies: ['USD', 'JPY'], amountMax: 5000 }, ...pace };
      expect(compare({ ...world, frauds: 30, tallied: true }, 3)).toBeGreaterThan(count / 2);
    },
    TIMEOUT_MS,
  );
});
