/**
 * Goal: a row of a late merchant counts once, also while a database transaction of somebody else is open, so that each reading brings the
 * row again. Method: folds over one real Postgres, in which a session holds a database transaction open.
 */
import { expect, test } from 'vitest';
import { featureIndex } from '../../src/core/domain/feature-schema.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { arrivalsOf } from '../../src/core/profile/arrivals.ts';
import { beginRows } from '../../src/core/profile/fold-batch.ts';
import { merchantKind } from '../../src/core/profile/merchant-kind.ts';
import { vectorOf } from '../../src/core/score/feature-rows.ts';
import { LateMerchants } from '../../src/core/work/profiles/late-merchants.ts';
import { createWorkerRig } from '../support/worker-rig.ts';

const T0 = Date.UTC(2026, 10, 2, 12);
const HOUR_MS = 3_600_000;

test('a row that each reading brings again, as a database transaction is open, counts once', async () => {
  await using rig = await createWorkerRig();
  await using holder = rig.database.open();
  const late = new LateMerchants(rig.pool.query, 7);
  const countBefore = async (hour: number) => {
    const seed = { createdAtMs: T0 + hour * HOUR_MS, accountId: `a${hour}`, merchantId: 'm' };
    const transactions: Transaction[] = await rig.store([seed]);
    const begun = beginRows(arrivalsOf(transactions));
    const kind = merchantKind as unknown as Parameters<LateMerchants['fold']>[0]['kind'];
    await late.fold({ ...begun, kind, transactions }, [0], false);
    return vectorOf(begun.rows, 0)[featureIndex('merchant_count_30d')];
  };
  await holder.transaction(async (query) => {
    await query({ name: 'hold', text: 'select pg_current_xact_id()' });
    for (const [siblings, hour] of [5, 6, 7, 8].entries())
      expect(await countBefore(hour)).toBe(siblings);
  });
  expect(await countBefore(4)).toBe(0);
  expect(await countBefore(9)).toBe(5);
});
