/** The worker's own decisions. What it is given are plain functions; nothing is faked but them. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Failure } from '../../../src/domain/failure.ts';
import { createMetrics } from '../../../src/runtime/metrics.ts';
import { streamKeys } from '../../../src/stream/keys.ts';
import type { BatchSteps } from '../../../src/worker/process-batch.ts';
import { type Group, type OwnConnection, runWorker } from '../../../src/worker/run-worker.ts';
import { silentLog } from '../../support/config.ts';
import { waitUntil } from '../../support/wait-until.ts';

const BLOCK_MS = 1000;
const [broken, healthy] = [streamKeys('m', 'DE-TR', 0), streamKeys('m', 'US-EG', 0)];

const nothingComes = () => Promise.reject(new Error('nothing was delivered'));
const steps: BatchSteps = { process: nothingComes, fail: nothingComes, release: nothingComes };

const group: Group = {
  ensure: async (streams) =>
    streams.map((stream) =>
      stream === broken.transactions
        ? new Failure('unavailable', 'REDIS_WRONGTYPE', 'not a stream')
        : null,
    ),
  isMissing: () => false,
  claim: async () => ({ cursor: '-', entries: [] }),
  heartbeat: async () => 0,
  removeConsumer: async () => undefined,
  removeDeadConsumers: async () => undefined,
  prove: async () => undefined,
  guardOf: () => (call) => call(),
  isOfOneStream: () => false,
};

test('all streams are dealt out, also those that this worker cannot read yet', async () => {
  const stop = new AbortController();
  const blocks: number[] = [];
  let isDealt = false;
  const connection: OwnConnection = {
    async readNew({ blockMs }) {
      if (isDealt) blocks.push(blockMs);
      await nextTurn();
      return [];
    },
    readOwn: async () => [],
    unblock: async () => undefined,
    close: () => undefined,
  };
  const running = runWorker({
    ...{ name: 'w-2', readers: [connection], group, steps },
    listStreams: async () => [broken, healthy],
    workers: {
      async announce() {
        void nextTurn().then(() => {
          isDealt = true;
        });
        return ['w-1', 'w-2'];
      },
      leave: async () => undefined,
    },
    duties: () => [],
    settings: { batchEntries: 100, blockMs: BLOCK_MS, claimIdleMs: 600 },
    ...{ signal: stop.signal, metrics: createMetrics(), log: silentLog(), random: Math.random },
    ...{ nowMs: () => performance.now(), onSignOfLife: () => undefined },
  });
  await waitUntil(() => blocks.length >= 3, 5000, 'reads');
  stop.abort();
  await running;
  // The other worker is dealt the first, whoever can read it; the second is ours to wait for.
  expect(new Set(blocks)).toEqual(new Set([BLOCK_MS]));
});
