/**
 * Goal: what an entry held that nobody could read is found again in Postgres, and no checkpoint passes it before. Method: the
 * reconciler on real Postgres and Redis, dead letters and entries put there by hand.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bindReconciler } from '../../src/cli/bind-reconciler.ts';
import { readReconcileState } from '../../src/store/reconcile-state.ts';
import { testConfig } from '../support/config.ts';
import { idAt, storeDeadLetters } from '../support/stored-rows.ts';
import { readEntries } from '../support/stream-entries.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

let rig: WorkerRig;
beforeEach(async () => {
  rig = await createWorkerRig();
  await reconcile();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

/** A reconciler that has just started runs until nothing is left to do; returns how many it appended. */
async function reconcile(): Promise<number> {
  let appended = 0;
  const config = testConfig({ RISK_RECONCILE_AGE_MS: '500' });
  const reconciler = bindReconciler(config, rig.pool, rig.commands, (n) => {
    appended += n;
  });
  const { signal } = new AbortController();
  const isDone = async () => {
    const report = await reconciler.run(signal);
    return !report.recovering && report.appended === 0 && report.batches === 0;
  };
  await waitUntil(isDone, 30_000, 'the reconciler to be done');
  return appended;
}

const received = (count: number) =>
  seeds(count).map((seed) => ({ ...seed, receivedAtMs: Date.now() }));

async function streamed(): Promise<string[]> {
  const payloads = await readEntries(rig.commands, rig.stream.transactions);
  return payloads.map(({ transaction }) => transaction.transactionId).sort();
}

const unreadable = { id: idAt(1, 1), transactionId: null, failedAtMs: Date.now() };
const checkpoint = async () => (await readReconcileState(rig.pool)).checkpoint.getTime();

describe('what left the streams unread', { timeout: 120_000 }, () => {
  test('is found among what was received since the checkpoint, and its dead letter is closed', async () => {
    const [waiting, named, ...lost] = await rig.store(received(4));
    if (waiting === undefined || named === undefined) throw new Error('nothing stored');
    await rig.append([waiting]);
    await storeDeadLetters(rig.pool, [
      unreadable,
      { ...unreadable, id: idAt(1, 2), transactionId: named.transactionId },
    ]);
    expect(await reconcile()).toBe(2);
    const expected = [waiting, ...lost].map(({ transactionId }) => transactionId);
    expect(await streamed()).toEqual(expected.sort());
    const closed = 'select transaction_id from dead_letters where replayed_at is not null';
    expect(await rig.database.sql(closed)).toEqual([{ transaction_id: null }]);
    expect(await reconcile()).toBe(0);
  });

  test('is found although an operator has purged its dead letter', async () => {
    await rig.store(received(1));
    await storeDeadLetters(rig.pool, [unreadable]);
    await rig.database.sql('update dead_letters set purged_at = now()');
    expect(await reconcile()).toBe(1);
  });
});

test('what is in its stream and cannot be read holds the checkpoint', async () => {
  const before = await checkpoint();
  await rig.database.sql("update reconcile_state set checkpoint = checkpoint - interval '1 hour'");
  const entry = ['v', '3', 'n', '9', 'h', '1 ingest 0 ', 'd', 'of a newer release'];
  const id = await rig.commands.xadd(rig.stream.transactions, '*', ...entry);
  await reconcile();
  expect(await checkpoint()).toBeLessThan(before);
  await rig.commands.xdel(rig.stream.transactions, id ?? '');
  await reconcile();
  expect(await checkpoint()).toBeGreaterThanOrEqual(before);
});
