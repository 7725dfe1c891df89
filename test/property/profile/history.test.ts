/**
 * Goal: folds see exactly what the SQL definition says, whatever the order, repetition and lateness of
 * arrivals, with two workers racing and a cache that forgets. Method: real Postgres; every fold's
 * history is compared with the definition over the rows that had arrived by then.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Transaction } from '../../../src/domain/transaction.ts';
import { accountKind } from '../../../src/profile/account-kind.ts';
import { merchantKind } from '../../../src/profile/merchant-kind.ts';
import type { Profile, ProfileKind } from '../../../src/profile/profile.ts';
import { loadAccountPasts, loadMerchantPasts } from '../../../src/store/history.ts';
import type { Database, Query } from '../../../src/store/pool.ts';
import { createTestDatabase } from '../../support/database.ts';
import { ARRIVED_MS, type Arrival, arrivals, commit, makeTransaction } from './arrivals.ts';
import { type Asked, defineAccounts, defineMerchants } from './definition.ts';
import { createSharedCache, createWorker } from './workers.ts';

const RUNS = 10;
const TIMEOUT_MS = 120_000;

type Numbers = Readonly<Record<string, number>>;

/** Counts, sums and places exactly; means and deviations, which SQL rounds otherwise, to 1e-9. */
function expectSame(actual: Numbers, defined: Numbers, about: unknown): void {
  for (const [name, value] of Object.entries(defined)) {
    const mine = actual[name] ?? Number.NaN;
    const near = Math.abs(mine - value) <= 1e-9 * Math.max(1, Math.abs(value));
    if (near || (Number.isNaN(mine) && Number.isNaN(value))) continue;
    expect({ name, value: mine, about }).toEqual({ name, value, about });
  }
  expect(Object.keys(actual).sort()).toEqual(Object.keys(defined).sort());
}

type Side<P extends Profile, History, Past> = {
  readonly kind: ProfileKind<P, History, Past>;
  readonly loadPasts: (query: Query, points: readonly Transaction[]) => Promise<Past[]>;
  readonly define: (query: Query, folds: readonly Asked[]) => Promise<History[]>;
};

/** Lets everything arrive one after another; returns each fold with what it saw. */
async function run<P extends Profile, History, Past>(
  { kind, loadPasts }: Side<P, History, Past>,
  database: Database,
  list: readonly Arrival[],
): Promise<{ asked: Asked; history: History }[]> {
  const cache = createSharedCache();
  let committed = 0;
  let arrived = 0;
  // Rows are committed when somebody looks, up to and with the one that has arrived.
  const settle = async () => {
    const rows = list.slice(committed, arrived).map((one) => one.transaction);
    committed = arrived;
    if (rows.length > 0) await commit(database, rows);
  };
  const load = async (points: readonly Transaction[]) => {
    await settle();
    return await loadPasts(database.query, points);
  };
  const workers = [createWorker(kind, cache, load), createWorker(kind, cache, load)] as const;
  const folds: { asked: Asked; history: History }[] = [];
  const fold = async (transaction: Transaction, worker: 0 | 1, interfere?: () => Promise<void>) => {
    const history = await workers[worker].fold(transaction, interfere);
    const knownUntilMs = ARRIVED_MS + arrived - 1;
    folds.push({ asked: { transactionId: transaction.transactionId, knownUntilMs }, history });
  };
  for (const { transaction, worker, event, which } of list) {
    arrived++;
    const again = list[which % arrived]?.transaction ?? transaction;
    const other = worker === 0 ? 1 : 0;
    if (event === 'evict') cache.evict(kind.partyOf(transaction));
    await fold(transaction, worker, event === 'race' ? () => fold(transaction, other) : undefined);
    if (event === 'redeliver') await fold(again, other);
  }
  await settle();
  return folds;
}

async function check<P extends Profile, History extends Numbers, Past>(
  side: Side<P, History, Past>,
  list: readonly Arrival[],
  every = 1,
): Promise<void> {
  await using database = await createTestDatabase();
  await using pool = database.open();
  const folds = (await run(side, pool, list)).filter((_, index) => index % every === 0);
  const defined = await side.define(
    pool.query,
    folds.map((fold) => fold.asked),
  );
  expect(defined).toHaveLength(folds.length);
  folds.forEach((fold, index) => {
    expectSame(fold.history, defined[index] ?? {}, { index, ...fold.asked });
  });
}

const accounts = { kind: accountKind, loadPasts: loadAccountPasts, define: defineAccounts };
const merchants = { kind: merchantKind, loadPasts: loadMerchantPasts, define: defineMerchants };

describe('fold equals the SQL definition', () => {
  test(
    'accounts: shuffled, late and repeated arrivals',
    async () => {
      await fc.assert(
        fc.asyncProperty(arrivals({ minLength: 60, maxLength: 160 }), (list) =>
          check(accounts, list),
        ),
        { numRuns: RUNS, endOnFailure: true },
      );
    },
    TIMEOUT_MS,
  );

  test(
    'merchants: shuffled, late and repeated arrivals',
    async () => {
      await fc.assert(
        fc.asyncProperty(arrivals({ minLength: 60, maxLength: 160 }), (list) =>
          check(merchants, list),
        ),
        { numRuns: RUNS, endOnFailure: true },
      );
    },
    TIMEOUT_MS,
  );

  test(
    'an account beyond what its list keeps, with late arrivals on both sides of the floor',
    () => check(accounts, busyParty(900, 20 * 60_000)),
    TIMEOUT_MS,
  );

  test(
    'a merchant beyond what its list keeps, with late arrivals on both sides of the horizon',
    () => check(merchants, busyParty(6000, 9 * 60_000), 7),
    TIMEOUT_MS,
  );
});

/** One account at one merchant, a transaction each `stepMs`, some of them late by up to everything. */
function busyParty(count: number, stepMs: number): Arrival[] {
  let state = 12_345;
  const next = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    // The low bits of such a generator repeat after a few draws; the high ones do not.
    return Math.floor((state / 2 ** 32) * below);
  };
  return Array.from({ length: count }, (_, index) => {
    const late = index > 300 && next(25) === 0 ? next(next(2) === 0 ? index : 350) : 0;
    const isRepeated = index > 300 && next(50) === 0;
    return {
      transaction: makeTransaction({
        offsetMs: (index - late) * stepMs + (late > 0 ? 17 : 0),
        account: 0,
        merchant: 0,
        currency: next(5) === 0 ? 'JPY' : 'USD',
        minor: 1 + next(1_500_000),
        corridor: 'US-EG',
        country: next(9) === 0 ? 'EG' : 'US',
        deviceId: null,
        random: BigInt(index),
        arrivedMs: ARRIVED_MS + index,
      }),
      worker: next(40) === 0 ? 1 : 0,
      event: isRepeated ? 'redeliver' : next(400) === 0 ? 'evict' : 'none',
      which: next(1_000_000),
    };
  });
}
