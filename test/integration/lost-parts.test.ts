/**
 * Goal: what is lost with a part of Redis is restored without a person: a stream, its group, its retries,
 * writes that a promoted replica lacks. Method: the reconciler on real Postgres and Redis; each test harms one
 * part only.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { bindReconciler } from '../../src/core/repair/reconcile.ts';
import { openStored } from '../../src/core/store/open-rows/open-rows.ts';
import { ENTRY_VERSION } from '../../src/core/stream/entries/entry.ts';
import { createProducer, planRows } from '../../src/core/stream/entries/producer.ts';
import { CLAIM_START, claimStale } from '../../src/core/stream/group/consumer-group.ts';
import { GROUP, type StreamKeys, streamKeys } from '../../src/core/stream/keys.ts';
import { openCommands, untilReady } from '../../src/kit/redis/connection.ts';
import { testConfig } from '../support/config.ts';
import { openTestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';
import { copyNow, takeOver } from '../support/replica.ts';
import { startTestRedis } from '../support/services.ts';
import { idAt, storeTransactions } from '../support/stored-rows.ts';
import { readEntries } from '../support/stream-entries.ts';
import { waitUntil } from '../support/wait-until.ts';

const MINUTE_MS = 60_000;
const DONE_MS_MAX = 30_000;
/** A replica that asks for the data gets it at once. */
const settings = { 'repl-diskless-sync-delay': '0' };
const config = testConfig({ RISK_RECONCILE_AGE_MS: '500' });

let appended = 0;

const { testDatabase, database } = await openTestDatabase();
const service = await openForFile(startTestRedis({ settings }));
const redis = openCommands(service.url, 5000);
await untilReady(redis, 5000);
await reconcile();
afterAll(() => redis.disconnect());

const streamOf = (corridor: string) => streamKeys('market_0', corridor, 0);

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
      return report.isWhole && report.lost + report.rows === 0;
    },
    DONE_MS_MAX,
    'the reconciler to be done',
  );
  return appended;
}

/** Stores transactions of some minutes ago, opens their rows and appends them, as ingest did. */
async function send(count: number, corridor: string): Promise<string[]> {
  const startMs = Date.now() - 10 * MINUTE_MS;
  const seeds = Array.from({ length: count }, (_, n) => ({ createdAtMs: startMs + n, corridor }));
  const ids = await storeTransactions(database, seeds);
  const transactions = ids.map((transactionId, n) => ({
    ...{ transactionId, createdAtMs: startMs + n, receivedAtMs: startMs + n, corridor },
    ...{ accountId: 'acc_1', merchantId: 'm_1', amount: '10.00', currency: 'USD' },
    ...{ type: null, ip: null, deviceId: null, country: null, channel: null, declared: null },
  }));
  const rows = planRows(idAt(startMs), () => 1, transactions);
  await openStored(database.query, rows);
  await testDatabase.sql(`update open_rows set opened_at = now() - interval '10 minutes'`);
  const producer = createProducer({
    redis,
    market: 'market_0',
    shardsOf: () => 1,
    transactionsMax: 1e6,
  });
  await producer.append(
    rows.flatMap(({ rowId, transactions: all }) =>
      all.map((transaction) => ({
        ...{ transaction, attempt: 1, origin: 'ingest' as const, replyTo: null, rowId },
      })),
    ),
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
    const head = Buffer.from(`3 ${field('h')}\n`);
    const member = Buffer.concat([head, field('d') ?? Buffer.alloc(0)]);
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

describe('entries that nobody would deliver are claimed,', () => {
  const claim = async (stream: StreamKeys) => {
    const options = {
      consumer: 'heir',
      idleMs: 60_000,
      cursor: CLAIM_START,
      transactionsMax: 1000,
    };
    return await claimStale(redis, ENTRY_VERSION, { ...options, stream });
  };

  test('when their group was removed and made anew at the end', async () => {
    const stream = streamOf('GB-PK');
    const sent = await send(10, 'GB-PK');
    await redis.xgroup('DESTROY', stream.transactions, GROUP).catch(() => 0);
    await redis.xgroup('CREATE', stream.transactions, GROUP, '$');
    expect(await reconcile()).toBe(0);
    const { entries } = await claim(stream);
    expect(entries).toMatchObject([{ transactions: 10, deliveries: 2 }]);
    expect(await streamed(stream)).toEqual(sent.sort());
    expect((await claim(stream)).entries).toEqual([]);
  });
});
