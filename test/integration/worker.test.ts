/**
 * Goal: every appended transaction is scored once, for any number of deliveries, also where Redis lost profiles or is at its limit; a
 * worker that is told to stop leaves nothing pending and exits 0. Method: real Postgres, real Redis, real workers, as child processes
 * where they are stopped; outcomes are counted in SQL.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { listConsumers } from '../../src/core/stream/group/consumer-group.ts';
import { readGroup } from '../../src/core/stream/group/read-group.ts';
import { GROUP } from '../../src/core/stream/keys.ts';
import { openReader } from '../../src/kit/redis/connection.ts';
import { Failure } from '../../src/kit/words/failure.ts';
import type { WorkerOverrides } from '../../src/main/worker.ts';
import { readEntries, readScored } from '../support/stream-entries.ts';
import { THOROUGH } from '../support/thorough.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

let rig: WorkerRig;
beforeEach(async () => {
  rig = await createWorkerRig({ durable: true });
  return () => rig[Symbol.asyncDispose]();
});

/** Siblings that the profiles counted: where every earlier one is known, a transaction counts them all. */
const siblingsSeen = `select (feature_values(features))[14]::int as siblings from scores where account_id = $1 order by created_at`;

/** As large as an event of 128 scores. */
const EVENT = ['v', '2', 'n', '1', 'scores', JSON.stringify([['x'.repeat(14_000)]])];
const LETTER = ['stream', 'x', 'message', '{}', 'error', 'x'.repeat(1000), 'failed_at', 'x'];
const DEADLINE_MS = 30_000;

async function addTo(key: string, fields: readonly string[], count: number): Promise<void> {
  const pipeline = rig.commands.pipeline();
  for (let n = 0; n < count; n++) pipeline.xadd(key, '*', ...fields);
  await pipeline.exec();
}

describe('worker', () => {
  test('publishes a score once, however often it is appended again while it waits', async () => {
    const transactions = await rig.store(seeds(100));
    await rig.append(transactions);
    await rig.append(transactions, { origin: 'reconciled' });
    rig.startWorker({ RISK_BATCH_ENTRIES: '130' });
    await rig.settled(100);
    await rig.append(transactions, { origin: 'reconciled' });
    await rig.append(transactions);
    await rig.settled(100);
    const published = await readScored(rig.commands, rig.stream.scored);
    expect(published.map(([transactionId]) => transactionId).sort()).toEqual(
      transactions.map(({ transactionId }) => transactionId).sort(),
    );
  });

  test('takes over the entries of a consumer that died, and counts each of them once', async () => {
    await rig.send(seeds(50));
    const dead = openReader(rig.redis.url, 200);
    await rig.commands.xgroup('CREATE', rig.stream.transactions, 'scoring-workers', '0');
    const share = { shares: [50], transactionsMax: 50 };
    const read = { consumer: 'dead-1', streams: [rig.stream], ...share };
    const { deliveries } = await readGroup(dead, read);
    expect(deliveries[0]?.entries).toMatchObject([{ transactions: 50 }]);
    dead.disconnect();
    rig.startWorker();
    expect(await rig.settled(50)).toMatchObject({ scored: 50, deadLetters: 0 });
    const siblings = await rig.database.sql<{ siblings: number }>(siblingsSeen, ['acc_0']);
    expect(siblings.map((row) => row.siblings)).toEqual([0, 1, 2]);
  });

  test('reads a stream that appears while it works', async () => {
    rig.startWorker();
    await rig.send(seeds(1));
    await rig.settled(1);
    await rig.database.sql(`insert into shared.corridors values ('JP-KR', now(), 'market_0')`);
    await rig.send(seeds(3, Date.UTC(2026, 10, 2)).map((seed) => ({ ...seed, corridor: 'JP-KR' })));
    expect(await rig.settled(4)).toMatchObject({ scored: 4 });
  });

  test('sees the same in features after a restart of Redis that lost the newest profiles', async () => {
    rig.startWorker();
    await rig.send(seeds(17));
    await rig.settled(17);
    const keys = await rig.commands.keys('{market_0:p*}:account:acc_0');
    const older = await rig.commands.dumpBuffer(keys[0] ?? '');
    await rig.send(seeds(17, Date.UTC(2026, 10, 2)));
    await rig.settled(34);
    await rig.commands.restore(keys[0] ?? '', 0, older ?? '', 'REPLACE');
    await rig.redis.stop();
    await rig.redis.start();
    await waitUntil(() => rig.commands.status === 'ready', 10_000, 'the connection');
    await rig.send(seeds(17, Date.UTC(2026, 10, 3)));
    expect(await rig.settled(51, 20_000)).toMatchObject({ scored: 51, deadLetters: 0 });
    expect(await rig.database.sql(siblingsSeen, ['acc_0'])).toEqual(
      [0, 1, 2].map((n) => ({ siblings: n })),
    );
  });

  test('ends work, retries and dead letters where Redis is at its limit, and writes no events meanwhile', async () => {
    const { commands, stream } = rig;
    const transactions = await rig.send(seeds(300));
    await addTo(stream.scored, EVENT, 10);
    await addTo(stream.deadLetters, LETTER, 10);
    const failing = new Map(transactions.slice(0, 20).map((one, n) => [one.transactionId, n < 10]));
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
    await waitUntil(async () => (await left()).every((one) => one === 0), DEADLINE_MS, 'none left');
    await commands.config('SET', 'maxmemory', '0');
    let minute = 10;
    await waitUntil(
      async () => {
        await rig.send(seeds(1, Date.UTC(2026, 10, 1, 0, minute++)));
        return (await commands.xlen(stream.scored)) > 0;
      },
      DEADLINE_MS,
      'events again',
    );
  });
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
