/**
 * Goal: what is appended is scored once, whatever is delivered how often. Method: real Postgres, real
 * Redis, real workers; what became of each transaction is counted in SQL.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listConsumers } from '../../src/stream/consumer-group.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

let rig: WorkerRig;
beforeEach(async () => {
  rig = await createWorkerRig();
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

describe('worker', () => {
  test('scores what is appended and leaves nothing behind', async () => {
    const worker = rig.startWorker();
    await rig.send(seeds(500));
    expect(await rig.settled(500)).toEqual({ scored: 500, deadLetters: 0, waiting: 0, retries: 0 });
    expect(await rig.commands.xlen(rig.stream.scored)).toBe(500);
    expect(await worker.stop()).toBe(0);
    expect(await listConsumers(rig.commands, rig.stream.transactions)).toEqual([]);
  });
});
