/**
 * Goal: what Kafka delivers is scored once, beside Streams and alone, and an open row that Kafka has is not appended again.
 * Method: real Postgres, Redis and Kafka; workers in this process. A machine without JDK 17 says so and skips.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CorridorLog } from '../../src/core/domain/corridor-settings.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { bindReconciler } from '../../src/core/repair/reconcile-duty.ts';
import { compareLogs } from '../../src/core/store/log-deliveries/log-deliveries.ts';
import { createKafkaAppend } from '../../src/core/stream/kafka/append.ts';
import { type KafkaClients, openKafka } from '../../src/core/stream/kafka/clients.ts';
import { openFetcher } from '../../src/core/stream/kafka/fetch-records.ts';
import { groupOf, PARTITIONS, topicsOf } from '../../src/core/stream/kafka/topics.ts';
import { streamKeys } from '../../src/core/stream/keys.ts';
import { testConfig } from '../support/config.ts';
import { startKafka, type TestKafka, whyNoKafka } from '../support/kafka/broker.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

const missing = await whyNoKafka();
if (missing !== undefined) process.stderr.write(`kafka.long.test.ts skips: ${missing}\n`);

const START_MS = 300_000;
const TEST_MS = 90_000;
/** The group waits 6 s for each worker that dies. */
const DEATHS_MS = 300_000;
/** Each test has a corridor of its own, whose topics are new. */
const CORRIDORS = ['US-EG', 'US-MX', 'GB-NG', 'US-IN', 'US-PH'];

describe.skipIf(missing !== undefined)('Kafka', () => {
  let folder: string;
  let kafka: TestKafka;
  let clients: KafkaClients;
  let rig: WorkerRig;
  let corridor = '';
  beforeAll(async () => {
    [corridor = ''] = CORRIDORS;
    folder = mkdtempSync(join(tmpdir(), 'risk-kafka-'));
    kafka = await startKafka(folder, { signal: new AbortController().signal });
    clients = openKafka(kafka.url);
  }, START_MS);
  afterAll(async () => {
    await clients?.[Symbol.asyncDispose]();
    await kafka?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    rig = await createWorkerRig();
    corridor = CORRIDORS[(CORRIDORS.indexOf(corridor) + 1) % CORRIDORS.length] ?? '';
  });
  afterEach(async () => {
    await rig[Symbol.asyncDispose]();
  });

  const store = (count: number, startMs?: number) =>
    rig.store(seeds(count, startMs).map((seed) => ({ ...seed, corridor })));
  const setLog = async (log: CorridorLog) => {
    await clients.ensureTopics(Object.values(topicsOf(rig.database.market, corridor)), PARTITIONS);
    await rig.database.sql(
      `insert into corridor_settings (corridor, changed_by, log, log_changed_at, compared_from)
       values ($1, 'test', $2, now(), '2000-01-01')
       on conflict (corridor) do update set log = excluded.log`,
      [corridor, log],
    );
  };
  const appendToKafka = async (transactions: readonly Transaction[]) => {
    const append = createKafkaAppend({
      ...{ clients, market: rig.database.market, shardsOf: () => 1 },
      onFailure: (reason, error) => {
        throw new Error(reason, { cause: error });
      },
    });
    const left = await append(
      transactions.map((transaction) => ({
        ...{ transaction, attempt: 1, origin: 'ingest' as const, replyTo: null, rowId: null },
      })),
    );
    expect(left).toEqual([]);
  };
  const startWorker = (more: Record<string, string> = {}) =>
    rig.startWorker({ KAFKA_URL: kafka.url, ...more });
  const doubled = `select count(*)::int - count(distinct transaction_id)::int as doubled from scores`;
  const committed = async () => {
    const topic = topicsOf(rig.database.market, corridor).transactions;
    await using fetcher = await openFetcher(clients, groupOf(rig.database.market));
    fetcher.consumer.topics.track(topic);
    const offsets = await fetcher.consumer.listCommittedOffsets({
      topics: [{ topic, partitions: [0] }],
    });
    return Number(offsets.get(topic)?.[0] ?? -1n);
  };
  /** Values of the records of partition 0. */
  const readAll = async (topic: string, count: number): Promise<string[]> => {
    await using fetcher = await openFetcher(clients, 'reads-all');
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

  test(
    'scores what Kafka delivers, publishes it there, and commits behind the scores',
    async () => {
      await setLog('kafka');
      const worker = startWorker();
      await appendToKafka(await store(500));
      await rig.settled(500, 40_000);
      expect(await rig.database.sql(doubled)).toEqual([{ doubled: 0 }]);
      // 500 transactions are four entries of 125.
      await waitUntil(async () => (await committed()) === 4, 10_000, 'the offset');
      const events = await readAll(topicsOf(rig.database.market, corridor).scored, 4);
      const rows = events.flatMap((one) => JSON.parse(one).scores as [string][]);
      expect(new Set(rows.map(([id]) => id)).size).toBe(500);
      const { scored } = streamKeys(rig.database.market, corridor, 0);
      expect(await rig.commands.exists(scored)).toBe(0);
      expect(await worker.stop()).toBe(0);
    },
    TEST_MS,
  );

  test(
    'scores once what both logs deliver, and finds that they deliver the same',
    async () => {
      await setLog('both');
      startWorker();
      const transactions = await store(1000);
      await Promise.all([rig.append(transactions), appendToKafka(transactions)]);
      await rig.settled(1000, 40_000);
      expect(await rig.database.sql(doubled)).toEqual([{ doubled: 0 }]);
      const compare = () =>
        compareLogs(rig.pool.query, corridor, { fromMs: Date.UTC(2000, 0), toMs: null });
      const same = { missingInStreams: 0, missingInKafka: 0, differing: 0, elsewhere: 0 };
      await waitUntil(async () => (await compare()).equal === 1000, 30_000, 'equal');
      expect(await compare()).toEqual({ equal: 1000, ...same });
      const [one] = await store(1, Date.UTC(2026, 10, 2));
      await appendToKafka([one as Transaction]);
      await rig.settled(1001);
      expect(await compare()).toEqual({ equal: 1000, ...same, missingInStreams: 1 });
      const other = { ...(one as Transaction), amount: '999.00' };
      await rig.append([other]);
      await waitUntil(async () => (await compare()).differing === 1, 10_000, 'differing');
      expect(await compare()).toEqual({ equal: 1000, ...same, differing: 1 });
    },
    TEST_MS,
  );

  test(
    'tries again what failed, through the retries, and gives up what cannot be scored',
    async () => {
      await setLog('kafka');
      const failed = new Map<string, number>();
      rig.startWorker(
        { KAFKA_URL: kafka.url },
        {
          beforeScore({ accountId, transactionId }) {
            const times = (failed.get(transactionId) ?? 0) + 1;
            failed.set(transactionId, times);
            if (accountId === 'acc_1' && times < 3) throw new Error('not yet');
            if (accountId === 'acc_2') throw new Error('never');
          },
        },
      );
      const transactions = await store(51);
      await appendToKafka(transactions);
      await rig.settled(51, 40_000);
      const rows = await rig.database.sql<{ attempts: number; account_id: string }>(
        `select account_id, attempts from dead_letters order by transaction_id`,
      );
      expect(rows).toEqual(Array(3).fill({ account_id: 'acc_2', attempts: 4 }));
      const attempts = `select distinct attempts::int from scores where account_id = 'acc_1'`;
      expect(await rig.database.sql(attempts)).toEqual([{ attempts: 3 }]);
      const letters = await readAll(topicsOf(rig.database.market, corridor).deadLetters, 3);
      expect(letters.map((one) => JSON.parse(one).message.retry_count)).toEqual([4, 4, 4]);
    },
    TEST_MS,
  );

  test(
    'appends an open row that Kafka lacks, and none that Kafka has',
    async () => {
      await setLog('kafka');
      const [waiting, lost] = [await store(1), await store(1, Date.UTC(2026, 10, 3))];
      await rig.openRows(waiting);
      await rig.openRows(lost);
      const rowId = await rig.rowOf(waiting[0] as Transaction);
      const append = createKafkaAppend({
        ...{ clients, market: rig.database.market, shardsOf: () => 1 },
        onFailure: () => undefined,
      });
      await append(
        waiting.map((transaction) => ({
          ...{ transaction, attempt: 1, origin: 'ingest' as const, replyTo: null, rowId },
        })),
      );
      const config = testConfig({ ...rig.environment, RISK_RECONCILE_AGE_MS: '1000' });
      const reconciler = bindReconciler(
        ...[config, rig.pool, rig.commands, () => undefined, rig.pool, clients],
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
      await rig.settled(2, 40_000);
    },
    TEST_MS,
  );

  test(
    'gives up what kills its workers, and scores the others of its entry',
    async () => {
      await setLog('kafka');
      await appendToKafka(await store(5));
      const settings = { KAFKA_URL: kafka.url, RISK_TEST_POISON: 'kill:acc_1' };
      let worker = rig.spawnWorker(settings);
      let deaths = 0;
      await waitUntil(
        async () => {
          if (worker.hasExited()) {
            deaths += 1;
            worker = rig.spawnWorker(settings);
          }
          const { scored, deadLetters } = await rig.counts();
          return scored + deadLetters === 5;
        },
        DEATHS_MS,
        'an end',
      );
      const letters = 'select account_id, error_code from dead_letters';
      expect(await rig.database.sql(letters)).toEqual([
        { account_id: 'acc_1', error_code: 'CRASHES_WORKER' },
      ]);
      expect(await rig.counts()).toMatchObject({ scored: 4, deadLetters: 1 });
      expect(deaths).toBeGreaterThanOrEqual(4);
      worker.kill('SIGTERM');
      await worker.exited;
    },
    DEATHS_MS,
  );
});
