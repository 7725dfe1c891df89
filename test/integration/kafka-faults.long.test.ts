/**
 * Goal: neither a long queue of what is owed, nor a topic that is gone, nor a corridor that some workers do not read keeps
 * entries from being scored. Method: real Postgres, Redis and Kafka. A machine without JDK 17 says so and skips.
 */
import { describe, expect, test } from 'vitest';
import { createKafkaAppend } from '../../src/core/stream/kafka/append.ts';
import { type GroupReader, openGroupReader } from '../../src/core/stream/kafka/group-reader.ts';
import { PARTITIONS, topicsOf } from '../../src/core/stream/kafka/topics.ts';
import { whyNoKafka } from '../support/kafka/broker.ts';
import { useKafka } from '../support/kafka/kafka-site.ts';
import { waitUntil } from '../support/wait-until.ts';

const missing = await whyNoKafka();
if (missing !== undefined) process.stderr.write(`kafka-faults.long.test.ts skips: ${missing}\n`);

const TEST_MS = 90_000;
/** As many as a round of the reconciler appends. */
const ROUND = 5000;
/** Some rebalances, each within a heartbeat or two. */
const READ_MS = 10_000;
const OPEN_MS_MAX = 5_000;

describe.skipIf(missing !== undefined)('Kafka', () => {
  const site = useKafka();
  const ensure = (corridor: string) =>
    site.clients.ensureTopics(
      Object.values(topicsOf(site.rig.database.market, corridor)),
      PARTITIONS,
    );
  const recordOf = (topic: string, partition: number, bytes: number) => ({
    ...{ topic, partition, key: 'k', headers: {} },
    value: Buffer.alloc(bytes),
  });

  test(
    'takes a round of rows of one transaction in one partition',
    async () => {
      await ensure(site.corridor);
      const transactions = await site.store(ROUND);
      const failures: unknown[] = [];
      const append = createKafkaAppend({
        ...{ clients: site.clients, market: site.rig.database.market, shardsOf: () => 1 },
        onFailure: (...failure) => failures.push(failure),
      });
      const left = await append(
        transactions.map((transaction) => ({
          ...{ transaction, attempt: 1, origin: 'reconciled' as const, replyTo: null },
          rowId: transaction.transactionId,
        })),
      );
      expect(failures).toEqual([]);
      expect(left).toEqual([]);
    },
    TEST_MS,
  );

  test.each([
    ['a corridor that the other one does not know yet', ['US-EG', 'US-PH'], ['US-EG']],
    ['a corridor of its own each', ['US-IN'], ['GB-NG']],
  ])(
    'gives partitions to workers that read their corridor: %s',
    async (_, ofFirst, ofSecond) => {
      const { database, commands } = site.rig;
      const open = (corridors: readonly string[]) => {
        // A new broker has no coordinator yet.
        const tryOpen = () =>
          openGroupReader(site.clients, database.market, corridors, commands, Date.now).catch(
            () => undefined,
          );
        return waitUntil(tryOpen, OPEN_MS_MAX, 'a coordinator of the group');
      };
      const reading = async (reader: GroupReader) => {
        const read = new Set<string>();
        const endMs = performance.now() + READ_MS;
        while (performance.now() < endMs) {
          // A rebalance refuses commits.
          const entries = await reader.read().catch(() => []);
          for (const { stream } of entries) read.add(`${stream.corridor} ${stream.shard}`);
        }
        return [...read];
      };
      const corridors = [...new Set([...ofFirst, ...ofSecond])];
      for (const corridor of corridors) await ensure(corridor);
      // The first member leads, and assigns partitions.
      await using first = await open(ofFirst);
      await using second = await open(ofSecond);
      const both = Promise.all([reading(first), reading(second)]);
      for (const corridor of corridors) {
        const { transactions: topic } = topicsOf(database.market, corridor);
        await site.clients.send(
          Array.from({ length: PARTITIONS }, (_, partition) => recordOf(topic, partition, 10)),
        );
      }
      const [byFirst, bySecond] = await both;
      expect(new Set([...byFirst, ...bySecond]).size).toBe(PARTITIONS * corridors.length);
      const isOf = (known: readonly string[]) => (one: string) =>
        known.includes(one.split(' ')[0] ?? '');
      expect(byFirst.filter((one) => !isOf(ofFirst)(one))).toEqual([]);
      expect(bySecond.filter((one) => !isOf(ofSecond)(one))).toEqual([]);
    },
    TEST_MS,
  );

  test(
    'scores a corridor where the topics of another one are gone',
    async () => {
      const { database } = site.rig;
      const gone = 'US-PH';
      await ensure(gone);
      await database.sql(
        `insert into corridor_settings (corridor, changed_by, log, log_changed_at) values ($1, 'test', 'streams', now())`,
        [gone],
      );
      await site.setLog('kafka');
      site.rig.startWorker({ KAFKA_URL: site.kafka.url });
      await site.append(await site.store(10));
      await site.rig.settled(10, 40_000);
      await site.clients.administer((admin) =>
        admin.deleteTopics({ topics: Object.values(topicsOf(database.market, gone)) }),
      );
      await site.append(await site.store(10, Date.UTC(2026, 10, 3)));
      await site.rig.settled(20, 40_000);
      const goneTopics = Object.values(topicsOf(database.market, gone));
      await waitUntil(
        async () => (await site.clients.missingOf(goneTopics)).length === 0,
        30_000,
        'topics made anew',
      );
      await site.append(await site.store(10, Date.UTC(2026, 10, 4)));
      await site.rig.settled(30, 40_000);
    },
    TEST_MS,
  );
});
