/**
 * Goal: a long queue of what is owed is appended. Method: real Postgres, Redis and Kafka. A machine without JDK 17 says so and skips.
 */
import { describe, expect, test } from 'vitest';
import { createKafkaAppend } from '../../src/core/stream/kafka/append.ts';
import { PARTITIONS, topicsOf } from '../../src/core/stream/kafka/topics.ts';
import { whyNoKafka } from '../support/kafka/broker.ts';
import { useKafka } from '../support/kafka/kafka-site.ts';

const missing = await whyNoKafka();
if (missing !== undefined) process.stderr.write(`kafka-faults.long.test.ts skips: ${missing}\n`);

const TEST_MS = 90_000;
/** As many as a round of the reconciler appends. */
const ROUND = 5000;

describe.skipIf(missing !== undefined)('Kafka', () => {
  const site = useKafka();
  const ensure = (corridor: string) =>
    site.clients.ensureTopics(
      Object.values(topicsOf(site.rig.database.market, corridor)),
      PARTITIONS,
    );

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
});
