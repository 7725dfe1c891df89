/**
 * Goal: what is lost with a part of Redis is restored without a person: a stream, its group, its retries,
 * writes that a promoted replica lacks. Method: the reconciler on real Postgres and Redis; each test harms one
 * part only.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bindReconciler } from '../../src/core/repair/reconcile-duty.ts';
import { createProducer } from '../../src/core/stream/entries/producer.ts';
import { GROUP, type StreamKeys, streamKeys } from '../../src/core/stream/keys.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { createLeadership } from '../../src/kit/duties/leadership.ts';
import { openCommands, type RedisClient, untilReady } from '../../src/kit/redis/connection.ts';
import { testConfig } from '../support/config.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { copyNow, takeOver } from '../support/replica.ts';
import { runRisk } from '../support/run-risk.ts';
import { startTestRedis, type TestService } from '../support/services.ts';
import { storeTransactions } from '../support/stored-rows.ts';
import { readEntries } from '../support/stream-entries.ts';
import { waitUntil } from '../support/wait-until.ts';

const MINUTE_MS = 60_000;
const DONE_MS_MAX = 30_000;
/** A replica that asks for the data gets it at once. */
const settings = { 'repl-diskless-sync-delay': '0' };

let testDatabase: TestDatabase;
let database: Database;
let service: TestService;
let redis: RedisClient;
let appended = 0;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  database = testDatabase.open();
  service = await startTestRedis({ settings });
  redis = openCommands(service.url, 5000);
  await untilReady(redis, 5000);
  await reconcile();
});
afterAll(async () => {
  redis.disconnect();
  await database[Symbol.asyncDispose]();
  await service[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});

const streamOf = (corridor: string) => streamKeys('market_0', corridor, 0);
const config = testConfig({ RISK_RECONCILE_AGE_MS: '500' });

/** Runs until nothing is left to do; returns how many transactions were appended. */
async function reconcile(): Promise<number> {
  appended = 0;
  const reconciler = bindReconciler(config, database, redis, (n) => {
    appended += n;
  });
  const { signal } = new AbortController();
  await waitUntil(
    async () => {
      const report = await reconciler.run(signal);
      return !report.recovering && report.appended === 0 && report.batches === 0;
    },
    DONE_MS_MAX,
    'the reconciler to be done',
  );
  return appended;
}

/** Stores transactions of some minutes ago and appends them, as ingest did. */
async function send(count: number, corridor: string): Promise<string[]> {
  const startMs = Date.now() - 10 * MINUTE_MS;
  const seeds = Array.from({ length: count }, (_, n) => ({ createdAtMs: startMs + n, corridor }));
  const ids = await storeTransactions(database, seeds);
  const producer = createProducer({ redis, market: 'market_0', shards: 1, transactionsMax: 1e6 });
  await producer.append(
    ids.map((transactionId, n) => ({
      transaction: {
        ...{ transactionId, createdAtMs: startMs + n, receivedAtMs: startMs + n, corridor },
        ...{ accountId: 'acc_1', merchantId: 'm_1', amount: '10.00', currency: 'USD' },
        ...{ type: null, ip: null, deviceId: null, country: null, channel: null },
      },
      ...{ attempt: 1, origin: 'ingest' as const, replyTo: null },
    })),
  );
  return ids;
}

async function streamed({ transactions }: StreamKeys): Promise<string[]> {
  const payloads = await readEntries(redis, transactions);
  return payloads.map(({ transaction }) => transaction.transactionId).sort();
}

describe('what waited comes back, and nothing else is appended,', () => {
  test('when one stream is deleted and appended to again', async () => {
    const [stream, other] = [streamOf('US-EG'), streamOf('US-MX')];
    const [lost, kept] = [await send(30, 'US-EG'), await send(20, 'US-MX')];
    await redis.del(stream.transactions);
    const later = await send(10, 'US-EG');
    expect(await reconcile()).toBe(30);
    expect(await streamed(stream)).toEqual([...lost, ...later].sort());
    expect(await streamed(other)).toEqual(kept.sort());
    expect(await redis.hget(stream.counts, 'transactions')).toBe('40');
    expect(await reconcile()).toBe(0);
  });

  test('when only the retries are deleted', async () => {
    const stream = streamOf('US-PH');
    const lost = await send(1, 'US-PH');
    const [entry] = await redis.xrangeBuffer(stream.transactions, '-', '+');
    const fields = entry?.[1] ?? [];
    const field = (name: string) => fields[fields.findIndex((one) => String(one) === name) + 1];
    const member = Buffer.concat([Buffer.from(`${field('h')}\n`), field('d') ?? Buffer.alloc(0)]);
    await redis.zadd(stream.retries, Date.now() + MINUTE_MS, member);
    await redis.xdel(stream.transactions, String(entry?.[0]));
    expect(await reconcile()).toBe(0);
    await redis.del(stream.retries);
    expect(await reconcile()).toBe(1);
    expect(await streamed(stream)).toEqual(lost);
  });

  test('when a promoted replica lacks the last of it, although no connection was lost', async () => {
    await using second = await startTestRedis({ settings });
    const replica = openCommands(second.url, 5000);
    await untilReady(replica, 5000);
    const kept = await send(20, 'US-IN');
    await copyNow(replica, service);
    const lost = await send(30, 'GB-NG');
    await takeOver(redis, second);
    replica.disconnect();
    expect(await streamed(streamOf('GB-NG'))).toEqual([]);
    expect(await reconcile()).toBe(30);
    expect(await streamed(streamOf('US-IN'))).toEqual(kept.sort());
    expect(await streamed(streamOf('GB-NG'))).toEqual(lost.sort());
  });
});

test('what a restart lost of a stream that nobody has proven yet comes back', async () => {
  const [stream, kept] = [streamOf('DE-TR'), await send(10, 'SA-EG')];
  const lost = await send(10, 'DE-TR');
  await testDatabase.sql('delete from stream_proofs where stream = $1', [stream.transactions]);
  await redis.del(stream.transactions);
  await redis.save();
  await service.stop();
  await service.start();
  const answers = async () => (await redis.ping().catch(() => '')) === 'PONG';
  await waitUntil(answers, DONE_MS_MAX, 'redis');
  expect(await reconcile()).toBe(10);
  expect(await streamed(stream)).toEqual(lost.sort());
  expect(await streamed(streamOf('SA-EG'))).toEqual(kept.sort());
});

test('a group that was removed and made anew at the end delivers what stands before it', async () => {
  const { transactions } = streamOf('GB-PK');
  const sent = await send(10, 'GB-PK');
  await redis.xgroup('DESTROY', transactions, GROUP);
  await redis.xgroup('CREATE', transactions, GROUP, '$');
  expect(await reconcile()).toBe(0);
  const read = ['GROUP', GROUP, 'a', 'COUNT', 100, 'STREAMS', transactions, '>'] as const;
  const [[, entries]] = (await redis.xreadgroup(...read)) as [[string, [string, string[]][]]];
  expect(entries.length).toBeGreaterThan(0);
  expect(await streamed(streamOf('GB-PK'))).toEqual(sent.sort());
});

describe('the command', () => {
  const environment = () => ({
    DATABASE_URL: testDatabase.url,
    REDIS_URL: service.url,
    RISK_RECONCILE_AGE_MS: '500',
  });

  test('looks again at what was received since a time, itself or by the worker that leads', async () => {
    const { transactions } = streamOf('AE-IN');
    await reconcile();
    const lost = await send(3, 'AE-IN');
    await redis.xtrim(transactions, 'MAXLEN', 0);
    await testDatabase.sql("update reconcile_state set checkpoint = now() - interval '5 minutes'");
    expect(await reconcile()).toBe(0);
    const from = ['--from', new Date(Date.now() - 15 * MINUTE_MS).toISOString(), '--json'];
    await using leadership = createLeadership(database, 'a worker');
    await leadership.of('repair').run(async () => {
      const { code, stdout } = await runRisk(['reconcile', ...from], environment());
      expect([code, JSON.parse(stdout)]).toEqual([0, { leader: false, led_by: 'a worker' }]);
    });
    await leadership[Symbol.asyncDispose]();
    expect(await reconcile()).toBe(3);
    expect(await streamed(streamOf('AE-IN'))).toEqual(lost.sort());
    await redis.xtrim(transactions, 'MAXLEN', 0);
    const { stdout } = await runRisk(['reconcile', ...from], environment());
    expect(JSON.parse(stdout)).toMatchObject({ leader: true, appended: 3, recovering: false });
  });

  test('refuses what is no time', async () => {
    const wrong = await runRisk(['reconcile', '--from', '2026-13-01'], environment());
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("--from must be a date or an RFC 3339 time, not '2026-13-01'");
  });
});
