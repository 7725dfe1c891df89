/**
 * Goal: folds see exactly what the SQL definition says, whatever the order, repetition and lateness of
 * arrivals, with two workers racing, a cache that forgets, and labels that come before a fold or amid it. Method: real Postgres; every fold's
 * features are compared with the definition over the rows that had arrived by then.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FEATURE_LIST } from '../../../src/core/domain/feature-schema.ts';
import {
  type AccountPast,
  LABEL_MATURITY_DAYS,
  type MerchantPast,
} from '../../../src/core/domain/history.ts';
import type { Transaction } from '../../../src/core/domain/transaction.ts';
import { accountKind } from '../../../src/core/profile/account-kind.ts';
import type { AccountProfile } from '../../../src/core/profile/account-profile.ts';
import { merchantKind } from '../../../src/core/profile/merchant-kind.ts';
import type { MerchantProfile } from '../../../src/core/profile/merchant-profile.ts';
import type { Profile, ProfileKind } from '../../../src/core/profile/profile.ts';
import { areCounted } from '../../../src/core/store/profiles/counted-rows.ts';
import { loadAccountPasts, loadMerchantPasts } from '../../../src/core/store/profiles/history.ts';
import { readMark } from '../../../src/core/store/profiles/profile-snapshots.ts';
import type { Snapshots } from '../../../src/core/work/profiles/profiles.ts';
import type { Database, Query } from '../../../src/kit/database/pool.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { NO_SNAPSHOTS } from '../../support/no-snapshots.ts';
import { features } from '../../support/oracle/features.ts';
import type { AccountHistory, MerchantHistory } from '../../support/oracle/histories.ts';
import {
  ARRIVED_MS,
  type Arrival,
  type ArrivingLabel,
  arrivals,
  commit,
  commitLabel,
  makeTransaction,
} from './arrivals.ts';
import { type Asked, defineAccounts, defineMerchants } from './definition.ts';
import { createSharedLogs, createWorker } from './workers.ts';

/** Arrivals of each party that are drawn; the nightly long tests ask for more. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 1);
/** Arrivals of a busy merchant, whose list keeps 1,280; the nightly long tests let more come, and compare more of their folds. */
const [MERCHANT_ARRIVALS, MERCHANT_STRIDE] = RUNS > 1 ? [3000, 29] : [2200, 116];
/** Every so many folds of a busy account, a fold is compared. */
const ACCOUNT_STRIDE = RUNS > 1 ? 7 : 21;
const TIMEOUT_MS = 120_000;
/** A page holds the profile of a busy merchant. */
const COPIES_BYTES = 2 ** 24;

let database: TestDatabase;
let pool: Database;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = database.open({ statementTimeoutMs: TIMEOUT_MS });
});
afterAll(async () => {
  await pool[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

/** Compares the features of one side: exactly, except where SQL rounds otherwise than doubles do. */
function expectSame(party: string, actual: Float64Array, defined: Float64Array, about: unknown) {
  for (const [index, { name }] of FEATURE_LIST.entries()) {
    if (name.includes('merchant_') !== (party === 'merchant')) continue;
    const [mine, value] = [actual[index] ?? 0, defined[index] ?? 0];
    const near = Math.abs(mine - value) <= 1e-9 * Math.max(1, Math.abs(value));
    if (near || (Number.isNaN(mine) && Number.isNaN(value))) continue;
    expect({ name, value: mine, about }).toEqual({ name, value, about });
  }
}

type Side<P extends Profile, Past> = {
  readonly kind: ProfileKind<P, Past>;
  readonly loadPasts: (query: Query, points: readonly Transaction[]) => AsyncIterable<Past>;
  /** Features by the definition, of this party alone. */
  readonly define: (query: Query, folds: readonly Fold[]) => Promise<Float64Array[]>;
};

type Fold = {
  readonly asked: Asked;
  readonly transaction: Transaction;
  readonly row: Float64Array;
};

/** Lets everything arrive one after another; returns each fold with what it saw. */
async function run<P extends Profile, Past>(
  { kind, loadPasts }: Side<P, Past>,
  list: readonly Arrival[],
): Promise<Fold[]> {
  const shared = createSharedLogs();
  let committed = 0;
  let arrived = 0;
  // Rows are committed on demand, up to and including the one that has arrived.
  const settle = async () => {
    const rows = list.slice(committed, arrived).map((one) => one.transaction);
    committed = arrived;
    if (rows.length > 0) await commit(pool, rows);
  };
  const load = async function* (points: readonly Transaction[]) {
    await settle();
    yield* loadPasts(pool.query, points);
  };
  const snapshots: Snapshots = {
    ...NO_SNAPSHOTS,
    async mark() {
      await settle();
      return await readMark(pool.query);
    },
    async areCounted(rows) {
      await settle();
      return await areCounted(pool.query, rows);
    },
  };
  const start = () => createWorker(kind, shared, load, { snapshots, bytesMax: COPIES_BYTES });
  const workers = [start(), start()] as const;
  const folds: Fold[] = [];
  const fold = async (transaction: Transaction, worker: 0 | 1, interfere?: () => Promise<void>) => {
    const row = await workers[worker].fold(transaction, interfere);
    const knownUntilMs = ARRIVED_MS + arrived - 1;
    const asked = { transactionId: transaction.transactionId, knownUntilMs };
    folds.push({ asked, transaction, row });
  };
  const tell = async ({ of, ...label }: ArrivingLabel) => {
    const labelled = list[of % arrived]?.transaction;
    if (labelled === undefined) return;
    await settle();
    await commitLabel(pool, labelled, label, ARRIVED_MS + arrived - 1);
    shared.invalidate(kind.party, kind.partyOf(labelled));
  };
  for (const { transaction, worker, event, which, label } of list) {
    arrived++;
    const again = list[which % arrived]?.transaction ?? transaction;
    const other = worker === 0 ? 1 : 0;
    if (event === 'evict') shared.invalidate(kind.party, kind.partyOf(transaction));
    // Between a read of memory and the append, or before both.
    const tellAmid = label !== null && event === 'race' ? () => tell(label) : undefined;
    if (label !== null && tellAmid === undefined) await tell(label);
    const race = event === 'race' ? () => fold(transaction, other) : undefined;
    await fold(transaction, worker, tellAmid ?? race);
    if (event === 'redeliver') await fold(again, other);
  }
  await settle();
  return folds;
}

async function check<P extends Profile, Past>(
  side: Side<P, Past>,
  list: readonly Arrival[],
  every = 1,
): Promise<void> {
  // The months stay: making them takes longer than most runs.
  for (const table of ['labels', 'transactions']) await database.sql(`delete from ${table}`);
  const folds = (await run(side, list)).filter((_, index) => index % every === 0);
  const defined = await side.define(pool.query, folds);
  expect(defined).toHaveLength(folds.length);
  folds.forEach((fold, index) => {
    const about = { index, ...fold.asked };
    expectSame(side.kind.party, fold.row, defined[index] ?? new Float64Array(0), about);
  });
}

const loadPastsOfMerchants = (query: Query, points: readonly Transaction[]) =>
  loadMerchantPasts(query, points, LABEL_MATURITY_DAYS);
const askedOf = (folds: readonly Fold[]) => folds.map(({ asked }) => asked);
const accounts: Side<AccountProfile, AccountPast> = {
  kind: accountKind,
  loadPasts: loadAccountPasts,
  async define(query, folds) {
    const histories = await defineAccounts(query, askedOf(folds));
    const nothing = {} as MerchantHistory;
    return histories.map((history, n) => features(transactionAt(folds, n), history, nothing));
  },
};
const merchants: Side<MerchantProfile, MerchantPast> = {
  kind: merchantKind,
  loadPasts: loadPastsOfMerchants,
  async define(query, folds) {
    const histories = await defineMerchants(query, askedOf(folds));
    const nothing = {} as AccountHistory;
    return histories.map((history, n) => features(transactionAt(folds, n), nothing, history));
  },
};

function transactionAt(folds: readonly Fold[], index: number): Transaction {
  const fold = folds[index];
  if (fold === undefined) throw new Error('one definition a fold');
  return fold.transaction;
}

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
    () => check(accounts, busyParty(900, 20 * 60_000), ACCOUNT_STRIDE),
    TIMEOUT_MS,
  );

  test(
    'a merchant beyond what its list keeps, with late arrivals on both sides of the horizon',
    () => check(merchants, busyParty(MERCHANT_ARRIVALS, 18 * 60_000), MERCHANT_STRIDE),
    TIMEOUT_MS,
  );
});

/** Arrivals of an account at a merchant, a transaction each `stepMs`, some of them late by up to everything. */
function busyParty(count: number, stepMs: number): Arrival[] {
  let state = 12_345;
  const next = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    // The low bits of such a generator repeat after a few draws; the high ones do not.
    return Math.floor((state / 2 ** 32) * below);
  };
  const isOneOf = (many: number) => next(many) === 0;
  const makeLabel = (): ArrivingLabel => ({
    of: next(1_000_000),
    label: isOneOf(4) ? 'legitimate' : 'fraud',
    delayMs: next(20) * 86_400_000,
    source: 'bank',
    amountToMedian: isOneOf(3) ? 4 : 2,
  });
  const chooseLateness = (index: number) =>
    index > 300 && isOneOf(25) ? next(isOneOf(2) ? index : 350) : 0;
  const chooseEvent = (index: number) => {
    if (index > 300 && isOneOf(50)) return 'redeliver';
    return isOneOf(400) ? 'evict' : 'none';
  };
  const makeArrival = (_: unknown, index: number): Arrival => {
    const late = chooseLateness(index);
    const event = chooseEvent(index);
    const label = isOneOf(LABEL_EVERY) ? makeLabel() : null;
    const transaction = makeTransaction({
      offsetMs: (index - late) * stepMs + (late > 0 ? 17 : 0),
      account: 0,
      merchant: 0,
      currency: isOneOf(5) ? 'JPY' : 'USD',
      minor: 1 + next(1_500_000),
      corridor: 'US-EG',
      country: isOneOf(9) ? 'EG' : 'US',
      deviceId: null,
      random: BigInt(index),
      arrivedMs: ARRIVED_MS + index,
    });
    return {
      transaction,
      worker: isOneOf(40) ? 1 : 0,
      which: next(1_000_000),
      ...{ event, label },
    };
  };
  return Array.from({ length: count }, makeArrival);
}

/** Transactions of a busy party per label. */
const LABEL_EVERY = 20;
