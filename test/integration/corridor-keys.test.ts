/**
 * Goal: a corridor whose keys cannot be written waits alone: what another worker left there is not claimed,
 * what is read there cannot be settled, and both recover once its keys do. Method: another type stands at the
 * key of its events, where settling fails after everything else has worked.
 */

import { beforeEach, expect, test } from 'vitest';
import { sumMetric } from '../../bench/support/metrics.ts';
import { GROUP, type StreamKeys, streamKeys } from '../../src/core/stream/keys.ts';
import { measureStreams } from '../../src/core/stream/status/lag.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { readScored } from '../support/stream-entries.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

/** More than twice the batches that a worker holds at a time, which would otherwise fill up. */
const ROUNDS = 8;
const ROUND = 20;
const OTHERS = ['US-IN', 'US-MX', 'US-PH'];

let rig: WorkerRig;
beforeEach(async () => {
  rig = await createWorkerRig();
  return () => rig[Symbol.asyncDispose]();
});

async function sendTo(corridor: string, round: number): Promise<void> {
  const startMs = Date.UTC(2026, 10, 2, round);
  await rig.send(seeds(ROUND, startMs).map((seed) => ({ ...seed, corridor })));
}

const streamOf = (corridor: string): StreamKeys => streamKeys(rig.database.market, corridor, 0);

/** A consumer that never returns takes an entry of each corridor. */
async function leaveBehind(corridors: readonly string[]): Promise<void> {
  const { commands } = rig;
  for (const { transactions } of corridors.map(streamOf)) {
    await commands.xgroup('CREATE', transactions, GROUP, '0', 'MKSTREAM');
  }
  for (const corridor of corridors) await sendTo(corridor, 0);
  for (const { transactions } of corridors.map(streamOf)) {
    const args = ['GROUP', GROUP, 'dead', 'COUNT', '1', 'STREAMS', transactions, '>'] as const;
    await commands.call('XREADGROUP', ...args);
  }
}

async function waiting(corridors: readonly string[]): Promise<number> {
  const measured = await measureStreams(rig.commands, corridors.map(streamOf));
  return measured.reduce((sum, { lag, pending }) => sum + lag + pending, 0);
}

test('a corridor whose events cannot be written waits alone, with its entries and their deliveries', async () => {
  const { stream, commands } = rig;
  await commands.set(stream.scored, 'not a stream');
  await leaveBehind([stream.corridor, ...OTHERS]);
  const port = await freePort();
  const settings = { RISK_WORKER_PORT: String(port), RISK_BATCH_ENTRIES: '20' };
  const worker = rig.startWorker(settings);
  for (let round = 1; round <= ROUNDS; round++) {
    for (const corridor of [stream.corridor, ...OTHERS]) await sendTo(corridor, round);
    await waitUntil(async () => (await waiting(OTHERS)) === 0, 15_000, `round ${round} of others`);
  }
  // Some events come twice, where a recovery was quicker than the sender.
  expect(await waiting([stream.corridor])).toBeGreaterThanOrEqual((ROUNDS + 1) * ROUND);
  await waitUntil(
    async () => {
      const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      return (
        sumMetric(metrics, 'risk_breaker_state', { breaker: `streams:${stream.corridor}` }) === 2
      );
    },
    15_000,
    'the breaker of the corridor to open',
  );
  const dead = await commands.xpending(stream.transactions, GROUP, '-', '+', 100, 'dead');
  expect(dead.map((row) => (row as unknown[])[3])).toEqual([1]);
  await commands.del(stream.scored);
  // A second worker: the first waits half a minute before its next check, and stops all the same.
  expect(await worker.stop()).toBe(0);
  rig.startWorker(settings);
  const final = (ROUNDS + 1) * ROUND * (OTHERS.length + 1);
  expect(await rig.settled(final)).toMatchObject({ scored: final, deadLetters: 0 });
  const published = await readScored(commands, stream.scored);
  expect(new Set(published.map(([transactionId]) => transactionId)).size).toBe(
    (ROUNDS + 1) * ROUND,
  );
});
