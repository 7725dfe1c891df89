/**
 * Goal: entries that a live worker holds are not taken for abandoned, however long they wait. Method: a worker
 * whose batches wait for a lock in Postgres; what Redis says of its pending entries.
 */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { GROUP, type StreamKeys, streamKeys } from '../../src/core/stream/keys.ts';
import { holdOpen } from '../support/hold-open.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

/** Entries of a corridor, which form one batch. */
const ENTRIES = 1;
/** Long enough to distinguish two heartbeats from a claim, which is due after this time. */
const CLAIM_IDLE_MS = 1500;

let rig: WorkerRig;
beforeEach(async () => {
  rig = await createWorkerRig();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rig[Symbol.asyncDispose]();
});

/** Folds wait for the lock on stored rows until it is disposed. */
const lockStored = () =>
  holdOpen(rig.pool, 'lock table market.transactions, market.scores in access exclusive mode');

/** The second reader takes what arrives while the batch of the first waits for the lock. */
function startWorker() {
  const batch = { RISK_WORKER_READERS: '2', RISK_BATCH_ENTRIES: String(ENTRIES) };
  return rig.startWorker({ ...batch, RISK_CLAIM_IDLE_MS: String(CLAIM_IDLE_MS) });
}

async function pendingOf({ transactions }: StreamKeys) {
  const rows = (await rig.commands.xpending(transactions, GROUP, '-', '+', 100)) as unknown[][];
  return rows.map(([, , idleMs, deliveries]) => ({
    idleMs: Number(idleMs),
    deliveries: Number(deliveries),
  }));
}

/** Waits until the idle time of pending entries has been reset; no worker may have claimed them. */
async function beaten(stream: StreamKeys): Promise<void> {
  let idleMs = 0;
  await waitUntil(
    async () => {
      const pending = await pendingOf(stream);
      expect(pending.map(({ deliveries }) => deliveries)).toEqual(new Array(ENTRIES).fill(1));
      const before = idleMs;
      idleMs = Math.max(...pending.map((entry) => entry.idleMs));
      return idleMs < before;
    },
    3 * CLAIM_IDLE_MS,
    'a heartbeat',
  );
}

/** Stored batches of corridors, and a worker that waits for entries of all of them. */
async function prepare(...corridors: readonly string[]) {
  const streams = corridors.map((corridor) => streamKeys(rig.database.market, corridor, 0));
  const stored = await Promise.all(
    corridors.map((corridor, month) =>
      rig.store(seeds(ENTRIES, Date.UTC(2026, month, 1)).map((seed) => ({ ...seed, corridor }))),
    ),
  );
  startWorker();
  const hasGroup = async ({ transactions }: StreamKeys) => {
    const groups = await rig.commands.xinfo('GROUPS', transactions).catch(() => []);
    return Array.isArray(groups) && groups.length > 0;
  };
  await waitUntil(
    async () => (await Promise.all(streams.map(hasGroup))).every(Boolean),
    30_000,
    'the worker to make its groups',
  );
  return { streams, transactions: stored.flat() };
}

async function untilRead(streams: readonly StreamKeys[]): Promise<void> {
  const isRead = async (stream: StreamKeys) => (await pendingOf(stream)).length === ENTRIES;
  await waitUntil(
    async () => (await Promise.all(streams.map(isRead))).every(Boolean),
    30_000,
    'what was appended to be read',
  );
}

test('a batch that waits for another to be folded is held, too', async () => {
  const { streams, transactions } = await prepare('US-EG', 'US-MX');
  {
    await using _locked = await lockStored();
    await rig.append(transactions);
    await untilRead(streams);
    await Promise.all(streams.map(beaten));
  }
  expect(await rig.settled(2 * ENTRIES)).toMatchObject({ scored: 2 * ENTRIES });
});

test('a clock that is set back an hour stops no heartbeat', async () => {
  const { streams, transactions } = await prepare('US-EG');
  {
    await using _locked = await lockStored();
    await rig.append(transactions);
    await untilRead(streams);
    const now = Date.now;
    vi.spyOn(Date, 'now').mockImplementation(() => now() - 3_600_000);
    await Promise.all(streams.map(beaten));
  }
  expect(await rig.settled(ENTRIES)).toMatchObject({ scored: ENTRIES });
});
