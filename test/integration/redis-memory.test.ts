/**
 * Goal: events and copies in Redis stay within one budget over all streams, and give way to transactions: a
 * Redis at its limit can still settle what it holds, and nothing else grows. Method: real workers and a real
 * Redis with little memory.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type StreamKeys, streamKeys } from '../../src/core/stream/keys.ts';
import { Failure } from '../../src/kit/words/failure.ts';
import type { WorkerOverrides } from '../../src/main/worker.ts';
import { readScored } from '../support/stream-entries.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

const MEMORY_BYTES = 24 * 2 ** 20;
const BUDGET_BYTES = MEMORY_BYTES / 10;
const DEADLINE_MS = 30_000;
const TIMEOUT_MS = 4 * DEADLINE_MS;
const CORRIDORS = Array.from(
  { length: 40 },
  (_, n) => `${'ABCDE'[n % 5]}X-${'KLMNOPQR'[Math.floor(n / 5)]}Y`,
);
/** As large as an event of 128 scores. */
const EVENT = ['v', '2', 'n', '1', 'scores', JSON.stringify([['x'.repeat(14_000)]])];
const LETTER = ['stream', 'x', 'message', '{}', 'error', 'x'.repeat(1000), 'failed_at', 'x'];

let rig: WorkerRig;
beforeEach(async () => {
  rig = await createWorkerRig({ settings: { maxmemory: String(MEMORY_BYTES) } });
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

const streamOf = (corridor: string): StreamKeys => streamKeys(rig.database.market, corridor, 0);

async function bytesOf(keys: readonly string[]): Promise<number> {
  const sizes = await Promise.all(
    keys.map((key) => rig.commands.memory('USAGE', key, 'SAMPLES', 0)),
  );
  return sizes.reduce((sum: number, size) => sum + (size ?? 0), 0);
}

async function addTo(key: string, fields: readonly string[], count: number): Promise<void> {
  const pipeline = rig.commands.pipeline();
  for (let n = 0; n < count; n++) pipeline.xadd(key, '*', ...fields);
  await pipeline.exec();
}

describe('events and copies of dead letters', () => {
  test(
    'of forty corridors share one budget: the oldest of the largest go, and scoring goes on',
    async () => {
      await rig.database.sql(
        `insert into shared.corridors select unnest($1::text[]), now(), 'market_0' on conflict do nothing`,
        [CORRIDORS],
      );
      const streams = CORRIDORS.map(streamOf);
      const [small, large] = [streams.slice(0, 20), streams.slice(20)];
      for (const { scored } of small) await addTo(scored, EVENT, 2);
      for (const { scored } of large) await addTo(scored, EVENT, 15);
      await addTo(streams[0]?.deadLetters ?? '', LETTER, 2000);
      const keys = streams.flatMap(({ scored, deadLetters }) => [scored, deadLetters]);
      expect(await bytesOf(keys)).toBeGreaterThan(2 * BUDGET_BYTES);
      const newest = streams.map(({ scored }) =>
        rig.commands.xrevrange(scored, '+', '-', 'COUNT', 1),
      );
      const newestIds = (await Promise.all(newest)).map(([event]) => event?.[0]);
      rig.startWorker();
      await waitUntil(async () => (await bytesOf(keys)) <= BUDGET_BYTES, DEADLINE_MS, 'the budget');
      const corridors = [CORRIDORS[0] ?? '', CORRIDORS[39] ?? ''];
      await rig.send(seeds(100).map((one, n) => ({ ...one, corridor: corridors[n % 2] ?? '' })));
      await waitUntil(async () => (await rig.counts()).scored === 100, DEADLINE_MS, 'the scores');
      const lengths = await Promise.all(small.map(({ scored }) => rig.commands.xlen(scored)));
      expect(Math.min(...lengths)).toBe(2);
      for (const [index, { scored }] of streams.entries()) {
        const id = newestIds[index] ?? '';
        expect(await rig.commands.xrange(scored, id, id)).toHaveLength(1);
      }
      const sent = await Promise.all(
        corridors.map((corridor) => readScored(rig.commands, streamOf(corridor).scored)),
      );
      expect(sent.flat().filter(([id]) => id.length === 36)).toHaveLength(100);
    },
    TIMEOUT_MS,
  );

  test(
    'go, and none are written, where Redis is at its limit: work, retries and dead letters end',
    async () => {
      const { commands, stream } = rig;
      const transactions = await rig.send(seeds(300));
      await addTo(stream.scored, EVENT, 10);
      await addTo(stream.deadLetters, LETTER, 10);
      const failing = new Map(
        transactions.slice(0, 20).map((one, n) => [one.transactionId, n < 10]),
      );
      const tried = new Set<string>();
      const overrides: WorkerOverrides = {
        beforeScore({ transactionId }) {
          const isForEver = failing.get(transactionId);
          if (isForEver) throw new Failure('permanent', 'TEST_FAILURE', 'for ever');
          if (isForEver === false && !tried.has(transactionId)) {
            tried.add(transactionId);
            throw new Failure('transient', 'TEST_FAILURE', 'once');
          }
        },
      };
      await commands.config('SET', 'maxmemory', '1000000');
      rig.startWorker({}, overrides);
      expect(await rig.settled(300, DEADLINE_MS)).toMatchObject({ scored: 290, deadLetters: 10 });
      expect(tried.size).toBe(10);
      const left = () =>
        Promise.all([commands.xlen(stream.scored), commands.xlen(stream.deadLetters)]);
      await waitUntil(
        async () => (await left()).every((one) => one === 0),
        DEADLINE_MS,
        'none left',
      );
      await commands.config('SET', 'maxmemory', String(MEMORY_BYTES));
      let minute = 10;
      await waitUntil(
        async () => {
          await rig.send(seeds(1, Date.UTC(2026, 10, 1, 0, minute++)));
          return (await commands.xlen(stream.scored)) > 0;
        },
        DEADLINE_MS,
        'events again',
      );
    },
    TIMEOUT_MS,
  );
});
