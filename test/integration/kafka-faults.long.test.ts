/**
 * Goal: lost offsets publish nothing again, a rebalance publishes again at most the entries in hand, a denied corridor does not stop the
 * others, and a worker ends beside a broker that hangs. Method: real Postgres, Redis and Kafka. A machine without JDK 17 says so and skips.
 */
import { describe, expect, test, vi } from 'vitest';
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
/** Entries of a backlog of several reads, and entries in hand at a rebalance: two batches, and a third whose commit is under way. */
const [BACKLOG, IN_HAND_MAX] = [40, 3];

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

  test('a worker ends soon beside a broker that hangs', async () => {
    await site.setLog('kafka');
    const worker = site.rig.spawnWorker({ KAFKA_URL: site.kafka.url });
    await worker.waitFor(/Kafka is read/, 60_000);
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

  test('takes, scores and publishes a corridor where another corridor is denied', async () => {
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

  /** Ids of the group's members once each has its partitions. */
  const members = async () => {
    const name = groupOf(site.rig.database.market);
    const groups = await site.clients.administer((admin) =>
      admin.describeGroups({ groups: [name] }),
    );
    const group = groups.get(name);
    return group?.state?.toLowerCase() === 'stable' ? [...group.members.keys()] : [];
  };
  test.for([
    { how: 'joins', rebalances: 1 },
    { how: 'takes over from a worker that stands still', rebalances: 2 },
  ])(
    'publishes again no more than is in hand where another worker $how',
    async ({ how, rebalances }) => {
      await site.setLog('kafka');
      await site.append(await site.store(125 * BACKLOG));
      const settings = { KAFKA_URL: site.kafka.url, RISK_BATCH_ENTRIES: '125' };
      await using worker = site.rig.spawnWorker(settings);
      const isBegun = async () => (await site.rig.counts()).scored >= 250;
      await waitUntil(isBegun, 60_000, 'the first scores');
      const [first] = await members();
      if (how === 'joins') {
        const lock = 'lock table market.scores in access exclusive mode';
        await using _held = await holdOpen(site.rig.pool, lock);
        site.rig.startWorker(settings);
        await waitUntil(async () => (await members()).length === 2, 60_000, 'both workers');
      } else {
        worker.kill('SIGSTOP');
        site.rig.startWorker(settings);
        const isAway = async () => ![undefined, first].includes((await members())[0]);
        await waitUntil(isAway, 60_000, 'the other worker');
        worker.kill('SIGCONT');
        await waitUntil(async () => (await members()).length === 2, 60_000, 'both workers');
      }
      await site.rig.settled(125 * BACKLOG, 120_000);
      await waitUntil(async () => (await own()).committed === BACKLOG, 60_000, 'the offset');
      const { end } = await site.offsetsOf(site.topics().scored);
      expect(end - BACKLOG).toBeLessThanOrEqual(rebalances * IN_HAND_MAX);
    },
  );
});
