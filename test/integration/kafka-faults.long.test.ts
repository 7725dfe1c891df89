/**
 * Goal: lost offsets publish nothing again, and a broker that hangs keeps no worker from its end. Method: real Postgres, Redis and Kafka. A machine without JDK 17 says so and skips.
 */
import { describe, expect, test } from 'vitest';
import { groupOf } from '../../src/core/stream/kafka/topics.ts';
import { whyNoKafka } from '../support/kafka/broker.ts';
import { useKafka } from '../support/kafka/kafka-site.ts';
import { waitUntil } from '../support/wait-until.ts';

const missing = await whyNoKafka();
if (missing !== undefined) process.stderr.write(`kafka-faults.long.test.ts skips: ${missing}\n`);

const TEST_MS = 300_000;
const STOP_MS_MAX = 12_000;

describe.skipIf(missing !== undefined)('Kafka', () => {
  const site = useKafka();
  const startWorker = () => site.rig.startWorker({ KAFKA_URL: site.kafka.url });
  const own = () => site.offsetsOf(site.topics().transactions);

  test(
    'publishes nothing again where the group has lost its offsets',
    async () => {
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
    },
    TEST_MS,
  );

  test(
    'a worker ends soon beside a broker that hangs',
    async () => {
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
    },
    TEST_MS,
  );
});
