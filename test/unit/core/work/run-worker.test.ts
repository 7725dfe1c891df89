/** The worker's own decisions. The calls to the stores and the steps of a batch are plain functions; nothing else is replaced. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import type { Market } from '../../../../src/core/market.ts';
import { ENTRY_READER } from '../../../../src/core/stream/entries/entry.ts';
import type { StreamEntry } from '../../../../src/core/stream/group/read-group.ts';
import { streamKeys } from '../../../../src/core/stream/keys.ts';
import { decide, type EntryTransaction } from '../../../../src/core/work/decided.ts';
import { shareOfSettings } from '../../../../src/core/work/lanes.ts';
import { runWorker } from '../../../../src/core/work/run-worker.ts';
import type { WorkerOptions } from '../../../../src/core/work/worker.ts';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import { silentLog, testConfig } from '../../../support/config.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { entryOf, transactionsOf } from './delivered-entries.ts';

const [flooded, quiet] = ['US-EG', 'US-MX'].map((corridor) => streamKeys('m', corridor, 0)) as [
  ReturnType<typeof streamKeys>,
  ReturnType<typeof streamKeys>,
];

type Score = (entries: readonly StreamEntry[]) => Promise<void>;
const steps = vi.hoisted(() => ({}) as { score: Score });
vi.mock('../../../../src/core/work/decided.ts', async (original) => ({
  ...(await original<object>()),
  readEntries: (_: unknown, entries: readonly StreamEntry[]) => ({
    ...{ transactions: entries.flatMap((one) => transactionsOf(one)), decided: [] },
  }),
}));
vi.mock('../../../../src/core/work/score-batch.ts', () => ({
  async scoreBatch(_: unknown, transactions: readonly EntryTransaction[]) {
    await steps.score(transactions.map(({ entry }) => entry));
    return transactions.map((one) => decide(one, { kind: 'acknowledge', published: null }));
  },
}));
vi.mock('../../../../src/core/work/end-batch.ts', () => ({
  ...{ ALL_SETTLED: new Set(), endEntries: async () => new Set() },
  ...{ releaseEntries: async () => undefined, divideEntries: async () => undefined },
}));
vi.mock('../../../../src/core/stream/group/consumer-group.ts', () => ({
  ensureGroups: async (_: unknown, streams: readonly string[]) => streams.map(() => null),
  CLAIM_START: '-',
  findStale: async () => [],
  claimStale: async () => ({ cursor: '-', entries: [], suspects: [] }),
  heartbeat: async () => 0,
  removeConsumer: async () => undefined,
  removeDeadConsumers: async () => undefined,
  isGroupMissing: () => false,
}));
vi.mock('../../../../src/core/stream/settle/settle.ts', () => ({ prove: async () => undefined }));
vi.mock('../../../../src/core/stream/settle/retries.ts', () => ({ promoteRetries: async () => 0 }));
vi.mock('../../../../src/core/stream/status/lag.ts', () => ({ measureStreams: async () => [] }));
vi.mock('../../../../src/core/stream/keys.ts', async (original) => ({
  ...(await original<object>()),
  streamsOf: (_: string, corridors: readonly string[]) =>
    [flooded, quiet].filter(({ corridor }) => corridors.includes(corridor)),
}));
vi.mock('../../../../src/core/store/transactions/transactions.ts', () => ({
  listCorridors: async () => [flooded, quiet].map(({ corridor }) => corridor),
}));
vi.mock(
  '../../../../src/core/stream/memory/memory-duty.ts',
  async () => (await import('../../../simulation/ports.ts')).memory,
);

type ReadNew = WorkerOptions['reader']['readNew'];

const connection = {
  readOwn: async () => ({ deliveries: [], failed: new Map() }),
  unblock: async () => undefined,
  close: () => undefined,
};
const nothing: ReadNew = async () => {
  await nextTurn();
  return { deliveries: [], failed: new Map() };
};

function start(
  readNew: ReadNew,
  score: Score,
  readers: number,
  { express = nothing, ...settings }: { express?: ReadNew; RISK_WORKER_CORRIDORS?: string } = {},
) {
  steps.score = score;
  const stop = new AbortController();
  const run = { run: <T>(call: () => Promise<T>) => call() };
  const market = {
    ...{ name: 'm', shardsOf: () => 1, refusalOf: () => undefined },
    database: { usage: () => ({ total: 0, idle: 0, waiting: 0 }) },
    guards: { redis: run, streamsOf: () => run },
  } as unknown as Market;
  const options = {
    ...{ name: 'w-1', market, metrics: createMetrics(), log: silentLog(), random: Math.random },
    config: { ...testConfig(), RISK_WORKER_READERS: readers, RISK_BATCH_ENTRIES: 100, ...settings },
    reader: { ...connection, readNew },
    express: { reader: { ...connection, readNew: express } },
    ...{ entries: ENTRY_READER, elapsedMs: () => performance.now() },
    onSignOfLife: () => undefined,
    isStopped: () => false,
    shareOf: shareOfSettings(() => new Map()),
  } as unknown as WorkerOptions;
  const running = runWorker(options, [], stop.signal);
  return async () => {
    stop.abort();
    await running;
  };
}

test('a small batch is worked on alone; the more is held, the more batches are in flight', async () => {
  const waiting: PromiseWithResolvers<void>[] = [];
  let sizes: number[] = [];
  let reading = 0;
  const score = async () => {
    const open = Promise.withResolvers<void>();
    waiting.push(open);
    await open.promise;
  };
  const readNew: ReadNew = async () => {
    reading += 1;
    expect(reading).toBe(1);
    await nextTurn();
    reading -= 1;
    const size = sizes.shift();
    const entries = size === undefined ? [] : [entryOf(`${sizes.length}-0`, size, flooded)];
    const deliveries = entries.length === 0 ? [] : [{ stream: flooded, entries, total: 0 }];
    return { deliveries, failed: new Map() };
  };
  const openAll = () => {
    for (const { resolve } of waiting.splice(0)) resolve();
  };
  sizes = [1, 1];
  const stop = start(readNew, score, 4);
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

test('a pinned worker reads its corridors alone', async () => {
  const asked = new Set<string>();
  const readNew: ReadNew = async (options) => {
    for (const { corridor } of options.streams) asked.add(corridor);
    return await nothing(options);
  };
  const pinned = { RISK_WORKER_CORRIDORS: `${quiet.corridor},AA-AA` };
  const stop = start(readNew, async () => undefined, 1, pinned);
  await waitUntil(() => asked.size > 0, 5000, 'a read');
  await stop();
  expect([...asked]).toEqual([quiet.corridor]);
});
