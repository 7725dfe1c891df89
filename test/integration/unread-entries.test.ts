/**
 * Goal: transactions of an entry that nobody could read are found again in Postgres. Method: the reconciler on
 * real Postgres and Redis, dead letters inserted by hand.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bindReconciler } from '../../src/core/repair/reconcile.ts';
import { testConfig } from '../support/config.ts';
import { idAt, storeDeadLetters } from '../support/stored-rows.ts';
import { readEntries } from '../support/stream-entries.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

let rig: WorkerRig;
beforeEach(async () => {
  rig = await createWorkerRig();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

/** Runs a reconciler until something holds; returns how many transactions it appended. */
async function reconcileUntil(holds: () => Promise<boolean>): Promise<number> {
  let appended = 0;
  const config = testConfig({ RISK_RECONCILE_AGE_MS: '500' });
  const reconciler = bindReconciler(config, rig.pool, rig.commands, (n) => {
    appended += n;
  });
  const { signal } = new AbortController();
  const isDone = async () => (await reconciler.run(signal)).isWhole && (await holds());
  await waitUntil(isDone, 60_000, 'the reconciler to be done');
  return appended;
}

const received = (count: number) =>
  seeds(count).map((seed) => ({ ...seed, receivedAtMs: Date.now() }));

async function streamed(): Promise<string[]> {
  const payloads = await readEntries(rig.commands, rig.stream.transactions);
  return payloads.map(({ transaction }) => transaction.transactionId).sort();
}

const unreadable = { id: idAt(1, 1), transactionId: null, failedAtMs: Date.now() - 1000 };
const isClosed = async () =>
  (await rig.database.sql('select from dead_letters where replayed_at is not null')).length === 1;

describe('what left the streams unread', { timeout: 120_000 }, () => {
  test('is in open rows that no entry names, and its dead letter is closed', async () => {
    const [waiting, named, ...lost] = await rig.store(received(4));
    if (waiting === undefined || named === undefined) throw new Error('nothing stored');
    await rig.openRows([waiting]);
    await rig.openRows([named, ...lost]);
    await rig.append([waiting], { rowId: await rig.rowOf(waiting) });
    await storeDeadLetters(rig.pool, [
      unreadable,
      { ...unreadable, id: idAt(1, 2), transactionId: named.transactionId },
    ]);
    expect(await reconcileUntil(isClosed)).toBe(2);
    const expected = [waiting, ...lost].map(({ transactionId }) => transactionId);
    expect(await streamed()).toEqual(expected.sort());
    const closed = 'select transaction_id from dead_letters where replayed_at is not null';
    expect(await rig.database.sql(closed)).toEqual([{ transaction_id: null }]);
  });

  test('is found although an operator has purged its dead letter', async () => {
    await rig.openRows(await rig.store(received(1)));
    await storeDeadLetters(rig.pool, [unreadable]);
    await rig.database.sql('update dead_letters set purged_at = now()');
    expect(await reconcileUntil(isClosed)).toBe(1);
  });
});
