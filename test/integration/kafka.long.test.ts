/**
 * Goal: what Kafka delivers is scored once, beside Streams and alone, an open row that Kafka has is not
 * appended again, and topics that are gone keep no other corridor from being scored.
 * Method: real Postgres, Redis and Kafka; workers in this process. A machine without JDK 17 says so and skips.
 */
import { describe, expect, test } from 'vitest';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { bindReconciler } from '../../src/core/repair/reconcile.ts';
import { compareLogs } from '../../src/core/store/log-deliveries/log-deliveries.ts';
import { createKafkaAppend } from '../../src/core/stream/kafka/append.ts';
import { openFetcher } from '../../src/core/stream/kafka/fetch-records.ts';
import { topicsOf } from '../../src/core/stream/kafka/topics.ts';
import { streamKeys } from '../../src/core/stream/keys.ts';
import { testConfig } from '../support/config.ts';
import { whyNoKafka } from '../support/kafka/broker.ts';
import { useKafka } from '../support/kafka/kafka-site.ts';
import { waitUntil } from '../support/wait-until.ts';

const missing = await whyNoKafka();
if (missing !== undefined) process.stderr.write(`kafka.long.test.ts skips: ${missing}\n`);

/** As many as a round of the reconciler appends. */
const ROUND = 5000;
/** The group waits 6 s for each worker that dies. */
const DEATHS_MS = 300_000;

describe.skipIf(missing !== undefined)('Kafka', () => {
  const site = useKafka();
  const startWorker = (more: Record<string, string> = {}) =>
    site.rig.startWorker({ KAFKA_URL: site.kafka.url, ...more });
  const doubled = `select count(*)::int - count(distinct transaction_id)::int as doubled from scores`;
  /** Values of the records of partition 0. */
  const readAll = async (topic: string, count: number): Promise<string[]> => {
    await using fetcher = await openFetcher(site.clients, 'reads-all');
    const values: string[] = [];
    let position = 0n;
    while (values.length < count) {
      for (const one of await fetcher.fetch([{ topic, partition: 0, position }])) {
        position = one.next;
        values.push(...one.records.map(({ value }) => String(value)));
      }
    }
    return values;
  };

  test('scores what Kafka delivers, publishes it there, and commits behind the scores', async () => {
    await site.setLog('kafka');
    const worker = startWorker();
    await site.append(await site.store(500));
    await site.rig.settled(500, 40_000);
    expect(await site.rig.database.sql(doubled)).toEqual([{ doubled: 0 }]);
    // 500 transactions are four entries of 125.
    await waitUntil(
      async () => (await site.offsetsOf(site.topics().transactions)).committed === 4,
      10_000,
      'the offset',
    );
    const events = await readAll(site.topics().scored, 4);
    const rows = events.flatMap((one) => JSON.parse(one).scores as [string][]);
    expect(new Set(rows.map(([id]) => id)).size).toBe(500);
    const { scored } = streamKeys(site.rig.database.market, site.corridor, 0);
    expect(await site.rig.commands.exists(scored)).toBe(0);
    expect(await worker.stop()).toBe(0);
  });

  test('scores once what both logs deliver, and finds that they deliver the same', async () => {
    await site.setLog('both');
    startWorker();
    const transactions = await site.store(1000);
    await Promise.all([site.rig.append(transactions), site.append(transactions)]);
    await site.rig.settled(1000, 40_000);
    expect(await site.rig.database.sql(doubled)).toEqual([{ doubled: 0 }]);
    const compare = () =>
      compareLogs(site.rig.pool.query, site.corridor, { fromMs: Date.UTC(2000, 0), toMs: null });
    const same = { missing_in_streams: 0, missing_in_kafka: 0, differing: 0, elsewhere: 0 };
    await waitUntil(async () => (await compare()).equal === 1000, 30_000, 'equal');
    expect(await compare()).toEqual({ equal: 1000, ...same });
    const [one] = await site.store(1, Date.UTC(2026, 10, 2));
    await site.append([one as Transaction]);
    await site.rig.settled(1001);
    expect(await compare()).toEqual({ equal: 1000, ...same, missing_in_streams: 1 });
    const other = { ...(one as Transaction), amount: '999.00' };
    await site.rig.append([other]);
    await waitUntil(async () => (await compare()).differing === 1, 10_000, 'differing');
    expect(await compare()).toEqual({ equal: 1000, ...same, differing: 1 });
  });

  test('tries failed entries again through the retries, and gives up entries that cannot be scored', async () => {
    await site.setLog('kafka');
    const failed = new Map<string, number>();
    site.rig.startWorker(
      { KAFKA_URL: site.kafka.url },
      {
        beforeScore({ accountId, transactionId }) {
          const times = (failed.get(transactionId) ?? 0) + 1;
          failed.set(transactionId, times);
          if (accountId === 'acc_1' && times < 3) throw new Error('not yet');
          if (accountId === 'acc_2') throw new Error('never');
        },
      },
    );
    const transactions = await site.store(51);
    await site.append(transactions);
    await site.rig.settled(51, 40_000);
    const rows = await site.rig.database.sql<{ attempts: number; account_id: string }>(
      `select account_id, attempts from dead_letters order by transaction_id`,
    );
    expect(rows).toEqual(Array(3).fill({ account_id: 'acc_2', attempts: 4 }));
    const attempts = `select distinct attempts::int from scores where account_id = 'acc_1'`;
    expect(await site.rig.database.sql(attempts)).toEqual([{ attempts: 3 }]);
    const letters = await readAll(site.topics().deadLetters, 3);
    expect(letters.map((one) => JSON.parse(one).message.retry_count)).toEqual([4, 4, 4]);
  });

  test('appends an open row that Kafka lacks, and none that Kafka has', async () => {
    await site.setLog('kafka');
    const [waiting, lost] = [await site.store(1), await site.store(1, Date.UTC(2026, 10, 3))];
    await site.rig.openRows(waiting);
    await site.rig.openRows(lost);
    const rowId = await site.rig.rowOf(waiting[0] as Transaction);
    await site.append(waiting, { rowId });
    const config = testConfig({ ...site.rig.environment, RISK_RECONCILE_AGE_MS: '1000' });
    const reconciler = bindReconciler(
      config,
      site.rig.pool,
      site.rig.commands,
      () => undefined,
      site.rig.pool,
      site.clients,
    );
    const { signal } = new AbortController();
    let appended = 0;
    let isWhole = false;
    await waitUntil(
      async () => {
        const report = await reconciler.run(signal);
        appended += report.appended;
        isWhole ||= report.isWhole && report.lost === 0;
        return isWhole;
      },
      30_000,
      'a whole pass',
    );
    expect(appended).toBe(1);
    startWorker();
    await site.rig.settled(2, 40_000);
  });

  test(
    'gives up what kills its workers, and scores the others of its entry',
    async () => {
      await site.setLog('kafka');
      await site.append(await site.store(5));
      const settings = { KAFKA_URL: site.kafka.url, RISK_TEST_POISON: 'kill:acc_1' };
      let worker = site.rig.spawnWorker(settings);
      let deaths = 0;
      await waitUntil(
        async () => {
          if (worker.hasExited()) {
            expect(await worker.exited, worker.stderr()).toEqual({ code: null, signal: 'SIGKILL' });
            deaths += 1;
            worker = site.rig.spawnWorker(settings);
          }
          const { scored, deadLetters } = await site.rig.counts();
          return scored + deadLetters === 5;
        },
        DEATHS_MS,
        'an end',
      );
      const letters = 'select account_id, error_code from dead_letters';
      expect(await site.rig.database.sql(letters)).toEqual([
        { account_id: 'acc_1', error_code: 'CRASHES_WORKER' },
      ]);
      expect(await site.rig.counts()).toMatchObject({ scored: 4, deadLetters: 1 });
      expect(deaths).toBeGreaterThanOrEqual(4);
      worker.kill('SIGTERM');
      await worker.exited;
    },
    DEATHS_MS,
  );

  test('takes a round of rows of one transaction in one partition', async () => {
    await site.ensure(site.corridor);
    const transactions = await site.store(ROUND);
    const failures: unknown[] = [];
    const append = createKafkaAppend({
      ...{ clients: site.clients, market: site.rig.database.market, shardsOf: () => 1 },
      onMissed: (failure) => failures.push(failure),
    });
    const left = await append(
      transactions.map((transaction) => ({
        ...{ transaction, attempt: 1, origin: 'reconciled' as const, replyTo: null },
        rowId: transaction.transactionId,
      })),
    );
    expect(failures).toEqual([]);
    expect(left).toEqual([]);
  });

  test('scores a corridor where the topics of another corridor are gone', async () => {
    const { database } = site.rig;
    const gone = 'US-PH';
    await site.ensure(gone);
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
  });
});
