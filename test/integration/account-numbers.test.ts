/**
 * Goal: a number is compared with all numbers of its account, those of payments before its declaration, too, whatever the workers knew
 * that folded them. Method: folds over a real Redis and Postgres, by workers that learn of declarations at different times.
 */
import { expect, test } from 'vitest';
import type { FieldSlot } from '../../src/core/domain/metadata.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { createRecomputeVectors } from '../../src/core/profile/recompute-vectors.ts';
import { toVector } from '../../src/core/store/scores/score-values.ts';
import { startFold } from '../support/fold-rig.ts';
import { openForFile } from '../support/open-for-file.ts';
import { createWorkerRig } from '../support/worker-rig.ts';

const T0 = Date.UTC(2026, 10, 2, 12);
const rig = await openForFile(createWorkerRig());
const { commands: redis, database, pool } = rig;

const declare = (field: string, declaredAtMs: number): FieldSlot => ({
  ...{ field, declaredAtMs, type: 'number', kind: 'to_account' },
});
const startWorker = (slots: readonly FieldSlot[]) =>
  startFold({ redis, query: pool.query, market: database.market, slots });

let minutes = 0;
async function pay(accountId: string, metadata: Record<string, number>): Promise<Transaction> {
  minutes++;
  const [stored] = await rig.store([{ createdAtMs: T0 + minutes * 60_000, accountId, metadata }]);
  return { ...(stored as Transaction), declared: JSON.stringify(metadata) };
}

type Worker = ReturnType<typeof startWorker>;
async function fold(worker: Worker, payment: Transaction): Promise<Record<string, number>> {
  const [row] = await worker.fold([payment]);
  return { ...row };
}

test('payments from before a declaration count, and those while a field was withdrawn', async () => {
  const slots: FieldSlot[] = [];
  const worker = startWorker(slots);
  const payUnread = async (distance: number) => ({
    ...(await pay('declared later', { distance })),
    declared: null,
  });
  const paid = async (distance: number) => {
    const row = await fold(worker, await pay('declared later', { distance }));
    return row['distance_to_account'];
  };
  for (const distance of [1, 2, 3, 4]) await fold(worker, await payUnread(distance));
  slots.push(declare('distance', 1));
  expect(await paid(30)).toBeNaN();
  expect(await paid(6)).toBe(2);
  slots.pop();
  for (const distance of [50, 60, 70]) await fold(worker, await payUnread(distance));
  slots.push(declare('distance', 2));
  expect(await paid(60)).toBe(10);
  expect(await paid(0)).toBe(0);
  // The first payment, and each declaration.
  expect(await worker.rebuilds('account')).toBe(4);
});

test('workers that know other declarations disturb no number', async () => {
  const known = [[], ['weight'], ['distance'], ['distance', 'weight']];
  const workers = known.map((fields) => startWorker(fields.map((name) => declare(name, 3))));
  const paid: Record<string, number>[] = [];
  const upperMedian = (name: string) =>
    paid.map(({ [name]: value }) => value ?? 0).sort((a, b) => a - b)[paid.length >> 1] ?? 0;
  for (let nth = 0; nth < 24; nth++) {
    const metadata = { distance: (nth * 7) % 10, weight: 100 + ((nth * 13) % 24) };
    const at = ((nth * nth) % 7) % workers.length;
    const row = await fold(workers[at] as Worker, await pay('known otherwise', metadata));
    if (nth >= 5) {
      const ratios = Object.entries(metadata)
        .filter(([name]) => known[at]?.includes(name))
        .map(([name, value]) => [`${name}_to_account`, value / Math.max(upperMedian(name), 0.1)]);
      expect(row).toMatchObject(Object.fromEntries(ratios));
    }
    paid.push(metadata);
  }
});

test('a payment that was sent before its number was declared is scored with the number that is stored', async () => {
  await database.sql(
    `insert into metadata_fields (name, type, description, declared_by) values ('distance', 'number', 'a', 'Ann')`,
  );
  const sent = await rig.send(
    [1, 2, 3, 4, 5, 12].map((distance, nth) => {
      return { createdAtMs: T0 + nth, accountId: 'sent early', metadata: { distance } };
    }),
  );
  rig.startWorker();
  await rig.settled(6);
  const rows = await database.sql<{ features: Buffer }>(
    'select features from scores order by created_at',
  );
  const [ratio] = rows.map(({ features }) => toVector(features).at(-1)).reverse();
  expect(ratio).toBe(4);
  const recompute = createRecomputeVectors(pool, 7);
  const declared = sent.map((payment) => ({ ...payment, declared: '{"distance": 12}' }));
  const vectors = await recompute(declared, [null, null, null, null, null, null]);
  expect(vectors.map((vector) => vector.at(-1))).toEqual([NaN, NaN, NaN, NaN, NaN, 4]);
});
