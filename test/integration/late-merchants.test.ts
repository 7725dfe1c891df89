/**
 * Goal: a row of a late merchant counts once, also while a database transaction of somebody else is open, so that each reading brings the
 * row again. Method: folds over one real Postgres, in which a session holds a database transaction open.
 */
import { expect, test } from 'vitest';
import { vectorOf } from '../../src/core/domain/feature-rows.ts';
import { featureIndex } from '../../src/core/domain/feature-schema.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { arrivalsOf } from '../../src/core/profile/arrivals.ts';
import { beginRows } from '../../src/core/profile/fold-batch.ts';
import { merchantKind } from '../../src/core/profile/kinds.ts';
import { LateMerchants } from '../../src/core/work/profiles/late-merchants.ts';
import { createWorkerRig } from '../support/worker-rig.ts';

const T0 = Date.UTC(2026, 10, 2, 12);
const HOUR_MS = 3_600_000;

const YEARS_MS = 20 * 365 * 24 * HOUR_MS;

type Rig = Awaited<ReturnType<typeof createWorkerRig>>;

/** Stores a transaction of each time and folds them as one batch. @returns how many rows lie before each */
async function countBefore(rig: Rig, late: LateMerchants, times: readonly number[]) {
  const transactions: Transaction[] = await rig.store(
    times.map((createdAtMs) => ({ createdAtMs, accountId: `a${createdAtMs}`, merchantId: 'm' })),
  );
  const begun = beginRows(arrivalsOf(transactions));
  const kind = merchantKind as unknown as Parameters<LateMerchants['fold']>[0]['kind'];
  const indices = transactions.map((_, index) => index);
  await late.fold({ ...begun, kind, transactions }, indices, false);
  return indices.map((index) => vectorOf(begun.rows, index)[featureIndex('merchant_count_30d')]);
}

test('a row that each reading brings again, as a database transaction is open, counts once', async () => {
  await using rig = await createWorkerRig();
  await using holder = rig.database.open();
  const late = new LateMerchants(rig.pool.query, 7);
  const before = async (hour: number) => await countBefore(rig, late, [T0 + hour * HOUR_MS]);
  await holder.transaction(async (query) => {
    await query({ name: 'hold', text: 'select pg_current_xact_id()' });
    for (const [siblings, hour] of [5, 6, 7, 8].entries())
      expect(await before(hour)).toEqual([siblings]);
  });
  expect(await before(4)).toEqual([0]);
  expect(await before(9)).toEqual([5]);
});

test('transactions of one batch that lie decades apart count the rows before each', async () => {
  await using rig = await createWorkerRig();
  const late = new LateMerchants(rig.pool.query, 7);
  const at = (hour: number) => [T0 + hour * HOUR_MS, T0 + hour * HOUR_MS - YEARS_MS];
  expect(await countBefore(rig, late, [...at(5), ...at(7)])).toEqual([0, 0, 1, 1]);
  expect(await countBefore(rig, late, [...at(4), ...at(6), ...at(8)])).toEqual([0, 0, 2, 2, 4, 4]);
});
