/**
 * Goal: the engine reaches Kafka by TLS and SASL, says what waits there and what is wrong with its topics, and a market that is
 * dropped leaves none. Method: real Postgres, Redis and Kafka. A machine without JDK 17 or openssl says so and skips.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { CorridorLog } from '../../src/core/domain/corridor-settings.ts';
import { createKafkaAppend } from '../../src/core/stream/kafka/append.ts';
import { type KafkaClients, openKafka } from '../../src/core/stream/kafka/clients.ts';
import { openFetcher } from '../../src/core/stream/kafka/fetch-records.ts';
import { measureKafka } from '../../src/core/stream/kafka/lag.ts';
import { removeTopics } from '../../src/core/stream/kafka/remove-topics.ts';
import { groupOf, PARTITIONS, topicsOf } from '../../src/core/stream/kafka/topics.ts';
import { openKafkaOf } from '../../src/core/stream/kafka/watch-kafka.ts';
import { createLog } from '../../src/kit/metrics/log.ts';
import { createWorkerMetrics } from '../../src/kit/metrics/metrics.ts';
import type { Role } from '../../src/kit/words/principal.ts';
import { requestRollback } from '../../src/rooms/archive/approval.ts';
import { freeze } from '../../src/rooms/corridors/freeze-change.ts';
import { openQueueReader } from '../../src/rooms/operate/scaling/read-measures.ts';
import { findOpenssl, makeCertificates } from '../support/certificates.ts';
import { startKafka, type TestKafka, whyNoKafka } from '../support/kafka/broker.ts';
import { runRisk } from '../support/run-risk.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

const openssl = findOpenssl();
const missing = openssl === undefined ? 'openssl is not installed' : await whyNoKafka();
if (missing !== undefined) {
  process.stderr.write(`kafka-operations.long.test.ts skips: ${missing}\n`);
}

const START_MS = 300_000;
const TEST_MS = 120_000;
const CORRIDORS = ['US-EG', 'US-MX', 'GB-NG', 'US-IN'];
const silent = createLog('test', 'silent');

type Finding = { readonly check: string; readonly state: string; readonly detail: string };

describe.skipIf(missing !== undefined)('Kafka', () => {
  let folder: string;
  let kafka: TestKafka;
  let clients: KafkaClients;
  let secureUrl = '';
  let rig: WorkerRig;
  let corridor = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'risk-kafka-'));
    const certificates = await makeCertificates(openssl ?? '', join(folder, 'certificates'));
    kafka = await startKafka(folder, { certificates, signal: new AbortController().signal });
    secureUrl = kafka.secureUrl ?? '';
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

  const setLog = async (log: CorridorLog, partitions = PARTITIONS) => {
    await clients.ensureTopics(Object.values(topicsOf(rig.database.market, corridor)), partitions);
    await rig.database.sql(
      `insert into corridor_settings (corridor, changed_by, log, log_changed_at)
       values ($1, 'test', $2, now())
       on conflict (corridor) do update set log = excluded.log, log_changed_at = now()`,
      [corridor, log],
    );
  };
  const append = async (to: KafkaClients, count: number) => {
    const transactions = await rig.store(seeds(count).map((seed) => ({ ...seed, corridor })));
    const toKafka = createKafkaAppend({
      ...{ clients: to, market: rig.database.market, shardsOf: () => 1 },
      onFailure: (reason, error) => {
        throw new Error(reason, { cause: error });
      },
    });
    const left = await toKafka(
      transactions.map((transaction) => ({
        ...{ transaction, attempt: 1, origin: 'ingest' as const, replyTo: null, rowId: null },
      })),
    );
    expect(left).toEqual([]);
    return transactions;
  };
  const measure = async () => {
    const { market } = rig.database;
    await using fetcher = await openFetcher(clients, groupOf(market));
    const lags = await measureKafka(fetcher, rig.commands, market, [corridor]);
    const [first] = lags;
    if (first === undefined) throw new Error('nothing was measured');
    return first;
  };
  const doctor = async () => {
    const { stdout, code } = await runRisk(['doctor', '--json'], {
      ...{ DATABASE_URL: rig.database.url, REDIS_URL: rig.redis.url, KAFKA_URL: kafka.url },
    });
    const findings: Finding[] = JSON.parse(stdout);
    return { code, findings: findings.filter(({ check }) => check.startsWith('kafka')) };
  };

  test(
    'is reached by TLS and SASL, and by nobody with another password, authority or scheme',
    async () => {
      await setLog('kafka');
      await using plain = openKafka(`${secureUrl}&mechanism=PLAIN`);
      await append(plain, 100);
      const worker = rig.startWorker({ KAFKA_URL: secureUrl });
      await rig.settled(100, 40_000);
      expect(await worker.stop()).toBe(0);
      const refused = {
        password: secureUrl.replace(/:[^:@]+@/, ':wrong@'),
        authority: secureUrl.replace(/\?.*/, ''),
        scheme: secureUrl.replace(/^kafkas:\/\/[^@]*@/, 'kafka://').replace(/\?.*/, ''),
      };
      for (const [what, url] of Object.entries(refused)) {
        await using other = openKafka(url);
        const failure = await other
          .administer((admin) => admin.listTopics())
          .then(
            () => undefined,
            (error: unknown) => error,
          );
        expect(failure, what).toMatchObject({ code: 'KAFKA_FAILED' });
        expect(String(failure)).not.toMatch(/wrong|secret/);
      }
    },
    TEST_MS,
  );

  test(
    'says what waits, for status, metrics and the supervisor, and that it is gone',
    async () => {
      await setLog('kafka');
      const transactions = await append(clients, 500);
      await rig.openRows(transactions);
      const waiting = await measure();
      expect(waiting).toMatchObject({ lag: 500, pending: 0, retriesWaiting: 0, isTrimmed: false });
      expect(waiting.oldestAgeMs).toBeGreaterThan(0);
      expect(waiting.oldestAgeMs).toBeLessThan(TEST_MS);
      await using stack = new AsyncDisposableStack();
      const { market } = rig.database;
      const metrics = createWorkerMetrics(market);
      const layout = { everKafka: (one: string) => one === corridor };
      const switches = { corridors: () => new Set([corridor, 'GB-IN']), layout };
      const parts = { redis: rig.commands, market, switches, metrics, log: silent };
      const { readKafka } = openKafkaOf(kafka.url, stack, parts);
      const config = { RISK_MARKET: market, KAFKA_URL: kafka.url };
      const { pool: database, commands: redis } = rig;
      const readQueue = openQueueReader(stack, { config, database, redis, log: silent });
      const readMetric = async (name: string) =>
        Number(
          new RegExp(`^${name}\\{.*\\} (\\S+)$`, 'm').exec(await metrics.registry.metrics())?.[1],
        );
      await waitUntil(
        async () => (await readMetric('risk_kafka_lag_transactions')) === 500,
        10_000,
      );
      expect(readKafka()).toMatchObject({ isDown: false });
      expect(await readMetric('risk_breaker_state')).toBe(0);
      // The first reading learns which corridors use Kafka.
      await waitUntil(async () => ((await readQueue()).queue_age_seconds ?? 0) > 0, 10_000, 'age');
      expect((await readQueue()).queue_depth_transactions).toBe(500);
      const worker = rig.startWorker({ KAFKA_URL: kafka.url });
      await rig.settled(500, 40_000);
      await waitUntil(async () => (await readMetric('risk_kafka_lag_transactions')) === 0, 10_000);
      expect(await measure()).toMatchObject({ lag: 0, pending: 0, oldestAgeMs: 0 });
      expect(await worker.stop()).toBe(0);
      const [broker] = kafka.brokers;
      await broker?.end('SIGKILL');
      await waitUntil(async () => (await readMetric('risk_breaker_state')) === 2, 30_000, 'gone');
      expect(readKafka()).toEqual({ isDown: true, lags: [] });
      await expect(readQueue()).rejects.toMatchObject({ code: 'KAFKA_DOWN' });
      await broker?.start();
      await waitUntil(async () => (await readMetric('risk_breaker_state')) === 0, 60_000, 'back');
    },
    TEST_MS,
  );

  test(
    'doctor names what is wrong with topics',
    async () => {
      await setLog('both');
      const fine = await doctor();
      expect(fine.findings).toEqual([
        { check: 'kafka', state: 'ok', detail: 'one broker answers' },
        {
          check: `kafka topics of ${corridor}`,
          state: 'ok',
          detail: '16 partitions, one copy, kept for 168 hours',
        },
        expect.objectContaining({ check: 'kafka group', state: 'ok' }),
      ]);
      const { transactions, retries } = topicsOf(rig.database.market, corridor);
      await clients.administer((admin) => admin.deleteTopics({ topics: [transactions, retries] }));
      const configs = [
        { name: 'retention.ms', value: '60000' },
        { name: 'cleanup.policy', value: 'compact' },
      ];
      const isThere = async () =>
        (await clients.administer((admin) => admin.listTopics())).includes(transactions);
      await waitUntil(async () => !(await isThere()), 10_000, 'no topic');
      await clients.administer((admin) =>
        admin.createTopics({ topics: [transactions], partitions: 3, replicas: 1, configs }),
      );
      await waitUntil(isThere, 10_000, 'the topic');
      const { findings } = await doctor();
      const [, found] = findings;
      expect(found?.state).toBe('fail');
      expect(found?.detail.split('; ')).toEqual([
        `${transactions} has 3 partitions, not 16`,
        `${transactions} has cleanup.policy compact, not delete: records of a shard have one key`,
        `${transactions} keeps records for 60 s, less than a day`,
        `${retries} is missing`,
      ]);
    },
    TEST_MS,
  );

  test(
    'a market that is dropped leaves no topic and no group, once its workers have ended',
    async () => {
      await setLog('kafka');
      await append(clients, 10);
      const { market } = rig.database;
      const other = topicsOf(`${market}1`, corridor).transactions;
      await clients.ensureTopics([other], 1);
      const worker = rig.startWorker({ KAFKA_URL: kafka.url });
      await rig.settled(10, 40_000);
      const officer = (name: string) => ({ name, keyId: 'key', request: 'a test' });
      const roles = new Set<Role>(['admin']);
      const whole = { scope: 'market', corridor: null };
      await freeze(rig.pool, whole, { reason: 'closed' }, { by: officer('Ann'), roles });
      for (const name of ['Ann', 'Bob']) {
        await requestRollback(rig.pool, market, 'closed', officer(name));
      }
      const rollback = (...more: readonly string[]) =>
        runRisk(
          [
            'archive',
            'rollback',
            market,
            '--to',
            join(folder, 'archive'),
            '--unencrypted',
            ...more,
          ],
          { DATABASE_URL: rig.database.url, REDIS_URL: rig.redis.url, KAFKA_URL: kafka.url },
        );
      expect((await rollback()).stderr).toContain(`end the workers of ${market}`);
      expect(await worker.stop()).toBe(0);
      let last = await rollback('--continue');
      // The worker wrote to a table as it ended.
      if (last.stderr.includes('changed after the export')) last = await rollback('--continue');
      expect([last.code, last.stdout], last.stderr).toEqual([
        0,
        expect.stringMatching(/ topics=\d+/),
      ]);
      expect(await removeTopics(clients, market)).toBe(0);
      const [topics, groups] = await clients.administer((admin) =>
        Promise.all([admin.listTopics(), admin.listGroups()]),
      );
      expect(topics.filter((topic) => !topic.startsWith('_'))).toEqual([other]);
      expect(groups.has(groupOf(market))).toBe(false);
    },
    TEST_MS,
  );
});
