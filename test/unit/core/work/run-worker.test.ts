/** The worker's own decisions. Its arguments are plain functions; nothing else is faked. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { streamKeys } from '../../../../src/core/stream/keys.ts';
import { NOTHING_LEFT } from '../../../../src/core/work/build-settlements.ts';
import { decide, type HeldEntry } from '../../../../src/core/work/item.ts';
import type { BatchSteps } from '../../../../src/core/work/process-batch.ts';
import { runWorker } from '../../../../src/core/work/run-worker.ts';
import type { Group, OwnConnection } from '../../../../src/core/work/worker-parts.ts';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import { Failure } from '../../../../src/kit/words/failure.ts';
import { silentLog } from '../../../support/config.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { entryOf, itemsOf } from './held-entries.ts';

const BLOCK_MS = 1000;
const [broken, flooded, quiet] = ['DE-TR', 'US-EG', 'US-MX'].map((corridor) =>
  streamKeys('m', corridor, 0),
) as [ReturnType<typeof streamKeys>, ReturnType<typeof streamKeys>, ReturnType<typeof streamKeys>];

const group: Group = {
  ensure: async (streams) =>
    streams.map((stream) =>
      stream === broken.transactions
        ? new Failure('unavailable', 'REDIS_WRONGTYPE', 'not a stream')
        : null,
    ),
  claim: async () => ({ cursor: '-', entries: [], suspects: [] }),
  findHandedOver: async () => [],
  heartbeat: async () => 0,
  removeConsumer: async () => undefined,
  removeDeadConsumers: async () => undefined,
  prove: async () => undefined,
  guardOf: () => (call) => call(),
  isOfOneStream: () => false,
};

function createSteps(score: (held: readonly HeldEntry[]) => Promise<void>): BatchSteps {
  return {
    read: (held) => ({ items: held.flatMap(itemsOf), decided: [], unread: [] }),
    handOver: async () => undefined,
    async score(items) {
      await score(items.map(({ held }) => held));
      return items.map((item) => decide(item, { kind: 'acknowledge', published: null }));
    },
    fail: (item, failure) => decide(item, { kind: 'dead-letter', failure }),
    conclude: async () => NOTHING_LEFT,
    release: async () => undefined,
    divide: async () => undefined,
  };
}

function start(connection: Pick<OwnConnection, 'readNew'>, steps: BatchSteps, readers: number) {
  const stop = new AbortController();
  const running = runWorker({
    ...{ name: 'w-1', group, steps },
    connection: {
      ...connection,
      readOwn: async () => ({ deliveries: [], failed: new Map() }),
      unblock: async () => undefined,
      close: () => undefined,
    },
    listStreams: async () => [broken, flooded, quiet],
    duties: () => [],
    settings: { readers, batchTransactions: 100, blockMs: BLOCK_MS, claimIdleMs: 600 },
    ...{ signal: stop.signal, metrics: createMetrics(), log: silentLog(), random: Math.random },
    ...{ nowMs: () => performance.now(), onSignOfLife: () => undefined },
  });
  return async () => {
    stop.abort();
    await running;
  };
}

test('a small batch is worked on alone; the more is held, the more batches are in flight', async () => {
  const waiting: PromiseWithResolvers<void>[] = [];
  let sizes: number[] = [];
  let reading = 0;
  const steps = createSteps(async () => {
    const open = Promise.withResolvers<void>();
    waiting.push(open);
    await open.promise;
  });
  const readNew: OwnConnection['readNew'] = async () => {
    reading += 1;
    expect(reading).toBe(1);
    await nextTurn();
    reading -= 1;
    const size = sizes.shift();
    const entries = size === undefined ? [] : [entryOf(`${sizes.length}-0`, size)];
    const deliveries = entries.length === 0 ? [] : [{ stream: flooded, entries, held: 0 }];
    return { deliveries, failed: new Map() };
  };
  const openAll = () => {
    for (const { resolve } of waiting.splice(0)) resolve();
  };
  sizes = [1, 1];
  const stop = start({ readNew }, steps, 4);
  await waitUntil(() => waiting.length === 1, 5000, 'a small batch');
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  expect([waiting.length, sizes.length]).toEqual([1, 1]);
  openAll();
  await waitUntil(() => waiting.length === 1 && sizes.length === 0, 5000, 'the other one');
  openAll();
  sizes = [60, 1, 1];
  await waitUntil(() => waiting.length === 2, 5000, 'one beside the larger half');
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  expect([waiting.length, sizes.length]).toEqual([2, 1]);
  waiting.shift()?.resolve();
  await waitUntil(() => waiting.length === 2 && sizes.length === 0, 5000, 'one more in its place');
  openAll();
  sizes = new Array(10).fill(100);
  await waitUntil(() => waiting.length === 4, 5000, 'a batch a reader');
  for (let turn = 0; turn < 20; turn++) await nextTurn();
  expect([waiting.length, sizes.length]).toEqual([4, 6]);
  sizes = [];
  const ended = stop();
  openAll();
  await ended;
});

test('a flooded corridor leaves the others their share, and a broken one is not read', async () => {
  const taken = new Map<string, number>();
  const steps = createSteps(async (held) => {
    for (const { stream } of held) {
      taken.set(stream.corridor, (taken.get(stream.corridor) ?? 0) + 1);
    }
  });
  let reads = 0;
  const readNew: OwnConnection['readNew'] = async ({ streams, shares }) => {
    await nextTurn();
    reads += 1;
    const deliveries = streams.map((stream, index) => ({
      ...{ stream, held: stream === flooded ? 1_000_000 : 200 },
      entries: Array.from({ length: shares[index] ?? 0 }, (_, n) => entryOf(`${reads}-${n}`)),
    }));
    return { deliveries, failed: new Map() };
  };
  const stop = start({ readNew }, steps, 2);
  await waitUntil(() => reads > 100, 5000, 'reads');
  await stop();
  expect(taken.has(broken.corridor)).toBe(false);
  const [flood = 0, other = 0] = [flooded, quiet].map(({ corridor }) => taken.get(corridor));
  expect(flood / other).toBeLessThan(4.5);
  expect(flood / other).toBeGreaterThan(1);
});
