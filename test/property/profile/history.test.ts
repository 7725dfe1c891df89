/**
 * Goal: folds see exactly what the SQL definition says, whatever the order, repetition and lateness of arrivals. Method: real Postgres
 * and Redis, two workers that race, of whom one has memory for few copies, logs that are evicted, snapshots, and labels that come
 * before a fold or amid it; every fold's features are compared with the definition over the rows that had arrived by then.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { partyOfAddress } from '../../../src/core/domain/personal.ts';
import type { Transaction } from '../../../src/core/domain/transaction.ts';
import type { DayTable } from '../../../src/core/score/scorecard/day-table.ts';
import { invalidateProfiles } from '../../../src/core/stream/profiles/invalidate-profiles.ts';
import { PROFILE_LOGS, type ProfileLogs } from '../../../src/core/stream/profiles/profile-logs.ts';
import type { Query } from '../../../src/kit/database/pool.ts';
import { type NamedFeatures, named } from '../../support/fold-one.ts';
import { startFold } from '../../support/fold-rig.ts';
import { MARKET_TABLE, SLOTS } from '../../support/market-table.ts';
import { features, isNear } from '../../support/oracle/features.ts';
import { createWorkerRig, type WorkerRig } from '../../support/worker-rig.ts';
import {
  ARRIVED_MS,
  type Arrival,
  type ArrivingLabel,
  arrivals,
  commit,
  commitLabel,
  makeTransaction,
} from './arrivals.ts';
import { type Asked, defineAccounts, defineMerchants, defineShared } from './definition.ts';

/** Lists of arrivals that are drawn; the nightly long tests ask for more. */
const RUNS = Number(process.env['PROPERTY_RUNS'] ?? 1);
/** Arrivals of a busy merchant, whose list keeps 1,280; the nightly long tests let more come, and compare more of their folds. */
const [BUSY_ARRIVALS, BUSY_STRIDE] = RUNS > 1 ? [3000, 7] : [1400, 35];
const BUSY_STEP_MS = 18 * 60_000;
/** Arrivals of a busy party that come in order, and are folded in batches; the nightly long tests fold each by itself. */
const ORDERED_SHARE = RUNS > 1 ? 0 : 0.9;
const BATCH = 50;
/** The arrivals take 229 days. */
const [SHARED_ARRIVALS, SHARED_STEP_MS] = [1100, 5 * 60 * 60_000];
/** The profile of a busy merchant fits into a page of the first worker; the second evicts what it folds on. */
const COPIES_BYTES = [2 ** 24, 2 ** 15] as const;

type Fold = {
  readonly asked: Asked;
  readonly transaction: Transaction;
  readonly row: NamedFeatures;
};

type Delivery = {
  readonly list: readonly Arrival[];
  readonly table: DayTable | null;
  /** The first arrivals, which are in order, are folded in batches. */
  readonly ordered?: number;
  /** A fold in so many is compared. */
  readonly every?: number;
};

/** Lets everything arrive one after another; returns each fold with what it saw. */
async function deliverAll(rig: WorkerRig, { list, table, ordered = 0 }: Delivery): Promise<Fold[]> {
  const { pool, commands: redis } = rig;
  const { market } = rig.database;
  let [committed, arrived] = [0, 0];
  let settled = Promise.resolve();
  // Rows are committed on demand, up to and including the one that has arrived.
  const settle = () => {
    settled = settled.then(async () => {
      const rows = list.slice(committed, arrived).map(({ transaction }) => transaction);
      committed = arrived;
      if (rows.length > 0) await commit(pool, rows);
    });
    return settled;
  };
  const query: Query = async (statement, values) => {
    await settle();
    return await pool.query(statement, values);
  };
  let amid: (() => Promise<void>) | undefined;
  const logs: ProfileLogs = {
    ...PROFILE_LOGS,
    async append(...call) {
      const disturb = amid;
      amid = undefined;
      await disturb?.();
      return await PROFILE_LOGS.append(...call);
    },
  };
  const workers = COPIES_BYTES.map((bytesMax) =>
    startFold({ redis, query, market, bytesMax, logs, table, slots: SLOTS }),
  );
  const folds: Fold[] = [];
  const fold = async (worker: number, ...transactions: Transaction[]) => {
    const firstMs = ARRIVED_MS + arrived - transactions.length;
    const rows = await workers[worker]?.fold(transactions);
    for (const [nth, transaction] of transactions.entries()) {
      const asked = { transactionId: transaction.transactionId, knownUntilMs: firstMs + nth };
      folds.push({ asked, transaction, row: rows?.[nth] as NamedFeatures });
    }
  };
  const evict = ({ accountId, merchantId, deviceId, ip }: Transaction) =>
    invalidateProfiles(redis, market, [
      { kind: 'account', id: accountId },
      { kind: 'merchant', id: merchantId },
      { kind: 'device', id: deviceId ?? '' },
      { kind: 'address', id: partyOfAddress(ip) ?? '' },
    ]);
  const tell = async ({ of, ...label }: ArrivingLabel) => {
    const labelled = list[of % arrived]?.transaction;
    if (labelled === undefined) return;
    await settle();
    await commitLabel(pool, labelled, label, ARRIVED_MS + arrived - 1);
    await evict(labelled);
  };
  while (arrived < ordered) {
    const batch = list.slice(arrived, Math.min(arrived + BATCH, ordered));
    arrived += batch.length;
    await fold(batch[0]?.worker ?? 0, ...batch.map(({ transaction }) => transaction));
  }
  for (const { transaction, worker, event, which, label } of list.slice(ordered)) {
    arrived++;
    const other = 1 - worker;
    if (event === 'evict') await evict(transaction);
    if (label !== null && event !== 'race') await tell(label);
    // Between a read of memory and the append.
    if (event === 'race') amid = () => (label === null ? fold(other, transaction) : tell(label));
    await fold(worker, transaction);
    const again = list[which % arrived]?.transaction ?? transaction;
    if (event === 'redeliver') await fold(other, again);
  }
  await settle();
  return folds;
}

/** Features by the definition. */
async function define(
  query: Query,
  folds: readonly Fold[],
  table: DayTable | null,
): Promise<NamedFeatures[]> {
  const asked = folds.map((fold) => fold.asked);
  const accounts = await defineAccounts(query, asked);
  const merchants = await defineMerchants(query, asked);
  const devices = await defineShared(query, 'device', asked);
  const addresses = await defineShared(query, 'address', asked);
  for (const { length } of [accounts, merchants, devices, addresses])
    expect(length).toBe(folds.length);
  return folds.map(({ transaction }, index) => {
    const [account, merchant] = [accounts[index], merchants[index]];
    if (account === undefined || merchant === undefined) throw new Error('one definition a fold');
    return named(
      features(transaction, account, merchant, table, SLOTS, devices[index], addresses[index]),
      SLOTS,
    );
  });
}

async function check(delivery: Delivery): Promise<void> {
  const { table, every = 1 } = delivery;
  await using rig = await createWorkerRig();
  const folds = (await deliverAll(rig, delivery)).filter((_, index) => index % every === 0);
  const defined = await define(rig.pool.query, folds, table);
  for (const [index, { row, asked }] of folds.entries()) {
    const expected = Object.entries(defined[index] ?? {});
    const wrong = Object.entries(row).filter(
      ([, value], at) => !isNear(value, expected[at]?.[1] ?? 0),
    );
    const names = wrong.map(([name]) => name);
    const right = expected.filter(([name]) => names.includes(name));
    expect({ index, ...asked, features: wrong }).toEqual({ index, ...asked, features: right });
  }
}

describe('fold equals the SQL definition', () => {
  test('shuffled, late and repeated arrivals', async () => {
    await fc.assert(
      fc.asyncProperty(arrivals({ minLength: 50, maxLength: RUNS > 1 ? 160 : 80 }), (list) =>
        check({ list, table: MARKET_TABLE }),
      ),
      { numRuns: RUNS, endOnFailure: true },
    );
  });

  test('an account and a merchant beyond what their lists keep, with late arrivals on both sides of their ends', () =>
    check(busyParty(BUSY_ARRIVALS, BUSY_STEP_MS, 1)));

  // In `npm test`, test/unit/core/profile/shared-profile.test.ts tells of lists that are cut, and test/integration/history.test.ts of rebuilds.
  test.runIf(RUNS > 1)(
    'a device and a network of 80 accounts, whose oldest transactions leave what their lists keep, and then the window',
    () => check(busyParty(SHARED_ARRIVALS, SHARED_STEP_MS, 80)),
  );
});

/** Arrivals of accounts at a merchant from one device, a transaction each `stepMs`, some of them late by up to everything. */
function busyParty(count: number, stepMs: number, accounts: number): Delivery {
  let state = 12_345;
  const next = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    // The low bits of such a generator repeat after a few draws; the high ones do not.
    return Math.floor((state / 2 ** 32) * below);
  };
  const isOneOf = (many: number) => next(many) === 0;
  const ordered = Math.round(count * ORDERED_SHARE);
  const isDisordered = (index: number) => index > Math.max(300, ordered);
  const makeLabel = (): ArrivingLabel => ({
    of: next(1_000_000),
    label: isOneOf(4) ? 'legitimate' : 'fraud',
    delayMs: next(20) * 86_400_000,
    source: 'bank',
    amountToMedian: isOneOf(3) ? 4 : 2,
  });
  const chooseLateness = (index: number) =>
    isDisordered(index) && isOneOf(25) ? next(isOneOf(2) ? index : 350) : 0;
  const chooseEvent = (index: number) => {
    if (isDisordered(index) && isOneOf(50)) return 'redeliver';
    return isOneOf(400) ? 'evict' : 'none';
  };
  const makeArrival = (_: unknown, index: number): Arrival => {
    const late = chooseLateness(index);
    const event = chooseEvent(index);
    const label = isOneOf(LABEL_EVERY) ? makeLabel() : null;
    const transaction = makeTransaction({
      offsetMs: (index - late - (accounts > 1 ? count : 0)) * stepMs + (late > 0 ? 17 : 0),
      account: accounts > 1 ? next(accounts) : 0,
      merchant: 0,
      currency: isOneOf(5) ? 'JPY' : 'USD',
      minor: 1 + next(1_500_000),
      corridor: 'US-EG',
      country: isOneOf(9) ? 'EG' : 'US',
      // Devices and networks have the test of 80 accounts.
      ...(accounts > 1 ? { deviceId: 'till', ip: '203.0.113.7' } : { deviceId: null, ip: null }),
      ...{ word: isOneOf(3) ? null : 'gold', number: next(500) },
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
  const list = Array.from({ length: count }, makeArrival);
  return { list, table: null, ordered, every: BUSY_STRIDE };
}

/** Transactions of a busy party per label. */
const LABEL_EVERY = RUNS > 1 ? 20 : 60;
