/**
 * Goal: a worker that is told to stop leaves nothing pending and exits 0; told twice, it exits at once.
 * Method: workers as child processes.
 */
import { beforeEach, expect, test } from 'vitest';
import { listConsumers } from '../../src/core/stream/group/consumer-group.ts';
import { GROUP } from '../../src/core/stream/keys.ts';
import { readEntries } from '../support/stream-entries.ts';
import { THOROUGH } from '../support/thorough.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

let rig: WorkerRig;
beforeEach(async () => {
  rig = await createWorkerRig({ durable: true });
  return () => rig[Symbol.asyncDispose]();
});

const LOUD = { LOG_LEVEL: 'info' };
const pending = async () => {
  const reply = await rig.commands.xpending(rig.stream.transactions, GROUP).catch(() => [0]);
  return Number((reply as unknown[])[0]);
};

/** Runs `work` while the worker has been given entries that it cannot score. */
async function whileScoresAreLocked(
  worker: ReturnType<WorkerRig['spawnWorker']>,
  count: number,
  work: () => Promise<void>,
) {
  await worker.waitFor(/worker starts/, 20_000);
  const transactions = await rig.store(seeds(count));
  await rig.pool.transaction(async (query) => {
    await query({ text: 'lock table market.scores in access exclusive mode' });
    await rig.append(transactions);
    await work();
  });
  return transactions;
}

test('SIGTERM under load leaves no pending entry, no consumer, and exits 0', {
  retry: 2,
}, async () => {
  await rig.send(seeds(1500));
  await using worker = rig.spawnWorker({ ...LOUD, RISK_BATCH_ENTRIES: '20' });
  await waitUntil(async () => (await rig.counts()).scored > 100, 20_000, 'the first scores');
  worker.kill('SIGTERM');
  const started = performance.now();
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(await pending()).toBe(0);
  expect(await listConsumers(rig.commands, rig.stream.transactions)).toEqual([]);
  const { scored, waiting } = await rig.counts();
  expect(scored + waiting).toBe(1500);
  rig.startWorker();
  expect(await rig.settled(1500)).toMatchObject({ scored: 1500, deadLetters: 0 });
});

test('SIGTERM while Postgres is locked gives entries back without costing an attempt', async () => {
  await using worker = rig.spawnWorker({ ...LOUD, RISK_STATEMENT_TIMEOUT_MS: '300' });
  const transactions = await whileScoresAreLocked(worker, 30, async () => {
    await worker.waitFor(/worker pauses/, 10_000);
    worker.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
  });
  expect(await pending()).toBe(0);
  const payloads = await readEntries(rig.commands, rig.stream.transactions);
  const waiting = new Set(payloads.map(({ transaction }) => transaction.transactionId));
  expect(waiting).toEqual(new Set(transactions.map(({ transactionId }) => transactionId)));
  rig.startWorker();
  expect(await rig.settled(30)).toMatchObject({ scored: 30, deadLetters: 0 });
  expect(await rig.database.sql('select distinct attempts from scores')).toEqual([{ attempts: 1 }]);
});

test.runIf(THOROUGH)('SIGTERM twice exits at once', { retry: 2 }, async () => {
  await using worker = rig.spawnWorker({ ...LOUD, RISK_STATEMENT_TIMEOUT_MS: '5000' });
  await whileScoresAreLocked(worker, 5, async () => {
    await waitUntil(async () => (await pending()) > 0, 10_000, 'entries to be held');
    worker.kill('SIGTERM');
    await worker.waitFor(/draining/, 5000);
    worker.kill('SIGTERM');
    const started = performance.now();
    expect((await worker.exited).code).toBe(1);
    expect(performance.now() - started).toBeLessThan(4000);
  });
});
