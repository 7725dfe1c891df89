/**
 * Goal: the engine reaches Kafka by TLS and SASL, says what waits there and what is wrong with its topics, and a market that is
 * dropped leaves none. Method: real Postgres, Redis and Kafka. A machine without JDK 17 or openssl says so and skips.
 */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { unsealed } from '../../bench/support/unsealed.ts';
import { openKafka } from '../../src/core/stream/kafka/clients.ts';
import { openFetcher } from '../../src/core/stream/kafka/fetch-records.ts';
import { measureKafka } from '../../src/core/stream/kafka/lag.ts';
import { groupOf, removeTopics, topicsOf } from '../../src/core/stream/kafka/topics.ts';
import { openKafkaOf } from '../../src/core/stream/kafka/watch-kafka.ts';
import { createLog } from '../../src/kit/metrics/log.ts';
import { createWorkerMetrics } from '../../src/kit/metrics/metrics.ts';
import { openQueueReader } from '../../src/rooms/operate/scaling/scaler.ts';
import { findOpenssl } from '../support/certificates.ts';
import { whyNoKafka } from '../support/kafka/broker.ts';
import { useKafka } from '../support/kafka/kafka-site.ts';
import { agreeOnRollback } from '../support/rooms/archive/agree.ts';
import { freezeMarket } from '../support/rooms/corridors/freeze-market.ts';
import { runRisk } from '../support/run-risk.ts';
import { waitUntil } from '../support/wait-until.ts';

const openssl = findOpenssl();
const missing = openssl === undefined ? 'openssl is not installed' : await whyNoKafka();
if (missing !== undefined) {
  process.stderr.write(`kafka-operations.long.test.ts skips: ${missing}\n`);
}

const TEST_MS = 120_000;
const silent = createLog('test', 'silent');

type Finding = { readonly check: string; readonly state: string; readonly detail: string };

describe.skipIf(missing !== undefined)('Kafka', () => {
  const site = useKafka(openssl);
  const measure = async () => {
    const { market } = site.rig.database;
    await using fetcher = await openFetcher(site.clients, groupOf(market));
    const lags = await measureKafka(fetcher, site.rig.commands, market, [site.corridor]);
    const [first] = lags;
    if (first === undefined) throw new Error('nothing was measured');
    return first;
  };
  const doctor = async () => {
    const { stdout, code } = await runRisk(['doctor', '--json'], {
      ...{
        DATABASE_URL: site.rig.database.url,
        REDIS_URL: site.rig.redis.url,
        KAFKA_URL: site.kafka.url,
      },
    });
    const findings: Finding[] = JSON.parse(stdout);
    return { code, findings: findings.filter(({ check }) => check.startsWith('kafka')) };
  };

  test('is reached by TLS and SASL, and by nobody with another password, authority or scheme', async () => {
    await site.setLog('kafka');
    const { secureUrl = '' } = site.kafka;
    await using plain = openKafka(`${secureUrl}&mechanism=PLAIN`);
    await site.append(await site.store(100), { clients: plain });
    const worker = site.rig.startWorker({ KAFKA_URL: secureUrl });
    await site.rig.settled(100, 40_000);
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
  });

  test('reports the backlog, and a broker that is gone, to status, metrics and the supervisor', async () => {
    await site.setLog('kafka');
    const transactions = await site.store(500);
    await site.append(transactions);
    await site.rig.openRows(transactions);
    const waiting = await measure();
    expect(waiting).toMatchObject({ lag: 500, pending: 0, retriesWaiting: 0, isTrimmed: false });
    expect(waiting.oldestAgeMs).toBeGreaterThan(0);
    expect(waiting.oldestAgeMs).toBeLessThan(TEST_MS);
    await using stack = new AsyncDisposableStack();
    const { market } = site.rig.database;
    const metrics = createWorkerMetrics(market);
    const layout = { everKafka: (one: string) => one === site.corridor };
    const controls = { corridors: () => new Set([site.corridor, 'GB-IN']), layout };
    const parts = { redis: site.rig.commands, market, controls, metrics, log: silent };
    const { readKafka } = openKafkaOf(site.kafka.url, stack, parts);
    const config = { RISK_MARKET: market, KAFKA_URL: site.kafka.url };
    const { pool: database, commands: redis } = site.rig;
    const readQueue = openQueueReader(stack, { config, database, redis, log: silent });
    const readMetric = async (name: string) =>
      Number(
        new RegExp(`^${name}\\{.*\\} (\\S+)$`, 'm').exec(await metrics.registry.metrics())?.[1],
      );
    await waitUntil(async () => (await readMetric('risk_kafka_lag_transactions')) === 500, 10_000);
    expect(readKafka()).toMatchObject({ isDown: false });
    expect(await readMetric('risk_breaker_state')).toBe(0);
    // The first reading learns which corridors use Kafka.
    await waitUntil(async () => ((await readQueue()).queue_age_seconds ?? 0) > 0, 10_000, 'age');
    expect((await readQueue()).queue_depth_transactions).toBe(500);
    const worker = site.rig.startWorker({ KAFKA_URL: site.kafka.url });
    await site.rig.settled(500, 40_000);
    await waitUntil(async () => (await readMetric('risk_kafka_lag_transactions')) === 0, 10_000);
    expect(await measure()).toMatchObject({ lag: 0, pending: 0, oldestAgeMs: 0 });
    expect(await worker.stop()).toBe(0);
    const [broker] = site.kafka.brokers;
    await broker?.end('SIGKILL');
    await waitUntil(async () => (await readMetric('risk_breaker_state')) === 2, 30_000, 'gone');
    expect(readKafka()).toEqual({ isDown: true, lags: [] });
    await expect(readQueue()).rejects.toMatchObject({ code: 'KAFKA_DOWN' });
    await broker?.start();
    await waitUntil(async () => (await readMetric('risk_breaker_state')) === 0, 60_000, 'back');
  });

  test('doctor names what is wrong with topics', async () => {
    await site.setLog('both');
    const fine = await doctor();
    expect(fine.findings).toEqual([
      { check: 'kafka', state: 'ok', detail: 'one broker answers' },
      {
        check: `kafka topics of ${site.corridor}`,
        state: 'ok',
        detail: '16 partitions, one copy, kept for 168 hours',
      },
      expect.objectContaining({ check: 'kafka group', state: 'ok' }),
    ]);
    const { retries } = site.topics();
    await site.clients.administer((admin) => admin.deleteTopics({ topics: [retries] }));
    const { findings } = await doctor();
    const [, found] = findings;
    expect(found?.state).toBe('fail');
    expect(found?.detail).toBe(`${retries} is missing`);
  });

  test('a market that is dropped leaves no topic and no group, once its workers have ended', async () => {
    await site.setLog('kafka');
    await site.append(await site.store(10));
    const { market } = site.rig.database;
    const other = topicsOf(`${market}1`, site.corridor).transactions;
    await site.clients.ensureTopics([other], 1);
    const worker = site.rig.startWorker({ KAFKA_URL: site.kafka.url });
    await site.rig.settled(10, 40_000);
    await freezeMarket(site.rig.pool);
    await agreeOnRollback(site.rig.pool, market);
    const archive = join(site.folder, 'archive');
    await using _unsealed = unsealed(archive);
    const rollback = (...more: readonly string[]) =>
      runRisk(['archive', 'rollback', market, '--to', archive, '--unencrypted', ...more], {
        DATABASE_URL: site.rig.database.url,
        REDIS_URL: site.rig.redis.url,
        KAFKA_URL: site.kafka.url,
      });
    expect((await rollback()).stderr).toContain(`end the workers of ${market}`);
    expect(await worker.stop()).toBe(0);
    let last = await rollback('--continue');
    // The worker may have written to a table as it ended.
    if (last.stderr.includes('changed after the export')) last = await rollback('--continue');
    expect([last.code, last.stdout], last.stderr).toEqual([
      0,
      expect.stringMatching(/ topics=\d+/),
    ]);
    expect(await removeTopics(site.clients, market)).toBe(0);
    const [topics, groups] = await site.clients.administer((admin) =>
      Promise.all([admin.listTopics(), admin.listGroups()]),
    );
    expect(topics.filter((topic) => !topic.startsWith('_'))).toEqual([other]);
    expect(groups.has(groupOf(market))).toBe(false);
  });
});
