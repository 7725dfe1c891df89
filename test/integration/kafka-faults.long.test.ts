/**
 * Goal: lost offsets publish nothing again, a rebalance has no more published again than was in hand, a corridor that is denied leaves the others, and a broker that hangs keeps no worker from
 * its end. Method: real Postgres, Redis and Kafka. A machine without JDK 17 says so and skips.
 */
import { describe, expect, test, vi } from 'vitest';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { createKafkaAppend } from '../../src/core/stream/kafka/append.ts';
import { groupOf, topicsOf } from '../../src/core/stream/kafka/topics.ts';
import { holdOpen } from '../support/hold-open.ts';
import { whyNoKafka } from '../support/kafka/broker.ts';
import { useKafka } from '../support/kafka/kafka-site.ts';
import { waitUntil } from '../support/wait-until.ts';
import { seeds } from '../support/worker-rig.ts';

const missing = await whyNoKafka();
if (missing !== undefined) process.stderr.write(`kafka-faults.long.test.ts skips: ${missing}\n`);

const TEST_MS = 300_000;
vi.setConfig({ testTimeout: TEST_MS });
const STOP_MS_MAX = 12_000;
/** Entries that one read brings, and how many of them are batches in flight; one more may wait for its commit. */
const [BACKLOG, BATCHES] = [20, 2];

describe.skipIf(missing !== undefined)('Kafka', () => {
  const site = useKafka();
  const startWorker = () => site.rig.startWorker({ KAFKA_URL: site.kafka.url });
  const own = () => site.offsetsOf(site.topics().transactions);

  test('publishes nothing again where the group has lost its offsets', async () => {
    await site.setLog('kafka');
    const worker = startWorker();
    await site.append(await site.store(500));
    await site.rig.settled(500, 120_000);
    await waitUntil(async () => (await own()).committed === 4, 60_000, 'the offset');
    await worker.stop();
    const groups = [groupOf(site.rig.database.market)];
    await site.clients.administer((admin) => admin.deleteGroups({ groups }));
    expect((await own()).committed).toBe(-1);
    await site.append(await site.store(1, Date.UTC(2026, 10, 2)));
    startWorker();
    await site.rig.settled(501, 120_000);
    await waitUntil(async () => (await own()).committed === 5, 60_000, 'the offset');
    expect((await site.offsetsOf(site.topics().scored)).end).toBe(5);
  });

  const hasMembers = async (count: number) => {
    const group = groupOf(site.rig.database.market);
    const groups = await site.clients.administer((admin) =>
      admin.describeGroups({ groups: [group] }),
    );
    const { state, members } = groups.get(group) ?? {};
    return state?.toLowerCase() === 'stable' && members?.size === count;
  };
  /** Batches with an entry of this backlog wait from the second half on, while one read has brought all of it. */
  const appendHeld = async () => {
    const entries = Array.from({ length: BACKLOG }, (_, at) => at);
    const stored = await Promise.all(
      entries.map((at) => site.store(5, Date.UTC(2026, 10, 1 + at))),
    );
    const held = stored.slice(BACKLOG / 2, BACKLOG / 2 + BATCHES);
    for (const entry of held) await site.rig.openRows(entry);
    for (const entry of stored) {
      const rowId = held.includes(entry) ? await site.rig.rowOf(entry[0] as Transaction) : null;
      await site.append(entry, { rowId });
    }
    return await holdOpen(site.rig.pool, 'select from market.open_rows for update');
  };

  test.for(['another joins', 'it dies', 'it stands still'])(
    'publishes again no more than a worker had in hand when %s',
    async (how) => {
      await site.setLog('kafka');
      const held = await appendHeld();
      const settings = { KAFKA_URL: site.kafka.url, RISK_BATCH_ENTRIES: '5' };
      const worker = site.rig.spawnWorker(settings);
      const half = (5 * BACKLOG) / 2;
      await waitUntil(async () => (await site.rig.counts()).scored === half, 60_000, 'half');
      if (how === 'it dies') worker.kill('SIGKILL');
      if (how === 'it stands still') worker.kill('SIGSTOP');
      const other = site.rig.startWorker(settings);
      const count = how === 'another joins' ? 2 : 1;
      await waitUntil(() => hasMembers(count), 60_000, 'the members');
      await held[Symbol.asyncDispose]();
      await site.rig.settled(5 * BACKLOG, 120_000);
      await waitUntil(async () => (await own()).committed === BACKLOG, 60_000, 'the offset');
      worker.kill('SIGCONT');
      if (how === 'it stands still') await waitUntil(() => hasMembers(2), 60_000, 'both');
      worker.kill('SIGTERM');
      await Promise.all([worker.exited, other.stop()]);
      const { end } = await site.offsetsOf(site.topics().scored);
      expect(end - BACKLOG).toBeLessThanOrEqual(BATCHES + 1);
    },
  );

  test('a worker ends soon beside a broker that hangs', async () => {
    await site.setLog('kafka');
    const worker = site.rig.spawnWorker({ KAFKA_URL: site.kafka.url });
    await site.append(await site.store(10));
    await waitUntil(async () => (await own()).committed === 1, 120_000, 'the offset');
    const [broker] = site.kafka.brokers;
    broker?.pause();
    try {
      const startMs = performance.now();
      worker.kill('SIGTERM');
      const ended = await worker.exited;
      expect(ended.code).toBe(0);
      expect(performance.now() - startMs).toBeLessThan(STOP_MS_MAX);
    } finally {
      broker?.resume();
    }
  });

  test('takes, scores and publishes a corridor where another one is denied', async () => {
    const { database } = site.rig;
    const denied = 'US-PH';
    await site.ensure(denied);
    await database.sql(
      `insert into corridor_settings (corridor, changed_by, log, log_changed_at) values ($1, 'test', 'kafka', now())`,
      [denied],
    );
    await site.setLog('kafka');
    const acls = Object.values(topicsOf(database.market, denied)).map((resourceName) => ({
      ...({ resourceType: 2, resourceName, resourcePatternType: 3 } as const),
      ...({ principal: 'User:ANONYMOUS', host: '*', operation: 2, permissionType: 2 } as const),
    }));
    await site.clients.administer((admin) => admin.createAcls({ creations: acls }));
    try {
      startWorker();
      const failures: unknown[] = [];
      const append = createKafkaAppend({
        ...{ clients: site.clients, market: database.market, shardsOf: () => 1 },
        onMissed: (failure) => failures.push(failure),
      });
      const own = await site.store(10);
      const other = await site.rig.store(
        seeds(10, Date.UTC(2026, 10, 3)).map((seed) => ({ ...seed, corridor: denied })),
      );
      const left = await append(
        [...own, ...other].map((transaction) => ({
          ...{ transaction, attempt: 1, origin: 'ingest' as const, replyTo: null, rowId: null },
        })),
      );
      expect(left.map(({ transaction }) => transaction)).toEqual(other);
      expect(String(failures)).toContain(denied);
      await site.rig.settled(10, 120_000);
      await waitUntil(
        async () => (await site.offsetsOf(site.topics().scored)).end === 1,
        10_000,
        'the event',
      );
    } finally {
      await site.clients.administer((admin) => admin.deleteAcls({ filters: acls }));
    }
  });
});
