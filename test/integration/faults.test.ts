/**
 * Goal: when a dependency fails, workers wait and nobody's transaction pays for it. Method: Postgres and
 * Redis are stopped, killed, frozen, filled and emptied under real workers; afterwards everything that
 * was appended is scored once and nothing is a dead letter.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { marketUrl } from '../../bench/support/market.ts';
import { GROUP } from '../../src/core/stream/keys.ts';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { startTestPostgres } from '../support/services.ts';
import { THOROUGH } from '../support/thorough.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../support/worker-rig.ts';

let rig: WorkerRig;
beforeEach(async () => {
  rig = await createWorkerRig({ durable: true });
});
afterEach(async () => {
  await rig[Symbol.asyncDispose]();
});

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 10, 1);
/** Leaves Redis no memory, and returns whether it refuses a write: it may have freed memory a moment ago. */
async function fill(commands: WorkerRig['commands']): Promise<boolean> {
  const used = /used_memory:(\d+)/.exec(await commands.info('memory'))?.[1];
  await commands.config('SET', 'maxmemory', String(Number(used) - 1000));
  const answer = await commands.set('probe', '').catch((error: Error) => error.message);
  return answer !== 'OK';
}

const later = (count: number, day: number) => seeds(count, START_MS + day * DAY_MS);

describe('redis', () => {
  test('a group that is destroyed is made again, at the first entry', async () => {
    rig.startWorker();
    await rig.send(later(50, 0));
    await rig.settled(50);
    await rig.commands.xgroup('DESTROY', rig.stream.transactions, GROUP);
    await rig.send(later(50, 1));
    expect(await rig.settled(100)).toMatchObject({ scored: 100, deadLetters: 0 });
  });

  test('FLUSHALL in mid-way loses hints, not the workers: what is appended again is scored once', async () => {
    rig.startWorker({ RISK_BATCH_ENTRIES: '10' });
    const transactions = await rig.send(later(300, 0));
    await waitUntil(async () => (await rig.counts()).scored >= 50, 10_000, 'the first scores');
    await rig.commands.flushall();
    await rig.append(transactions, { origin: 'reconciled' });
    expect(await rig.settled(300)).toMatchObject({ scored: 300, deadLetters: 0 });
    const siblings = await rig.database.sql<{ siblings: number }>(
      `select max((feature_values(features))[14])::int as siblings from scores where account_id = 'acc_0'`,
    );
    expect(siblings).toEqual([{ siblings: Math.floor(299 / 17) }]);
  });

  // The fault suite kills and freezes Redis, too.
  test.runIf(THOROUGH)('kill -9 and restart: workers connect again and go on', async () => {
    rig.startWorker({ RISK_BATCH_ENTRIES: '10' });
    await rig.send(later(300, 0));
    await waitUntil(async () => (await rig.counts()).scored >= 20, 10_000, 'the first scores');
    await rig.redis.kill();
    await rig.redis.start();
    await waitUntil(() => rig.commands.status === 'ready', 10_000, 'the connection');
    await rig.send(later(100, 1));
    expect(await rig.settled(400, 20_000)).toMatchObject({ scored: 400, deadLetters: 0 });
  });

  test('a restart that loses the newest profiles does not change what features see', async () => {
    const siblings = `select (feature_values(features))[14]::int as siblings from scores where account_id = 'acc_0' order by created_at`;
    rig.startWorker();
    await rig.send(later(17, 0));
    await rig.settled(17);
    const keys = await rig.commands.keys('{market_0:p*}:account:acc_0');
    const older = await rig.commands.dumpBuffer(keys[0] ?? '');
    await rig.send(later(17, 1));
    await rig.settled(34);
    await rig.commands.restore(keys[0] ?? '', 0, older ?? '', 'REPLACE');
    await rig.redis.stop();
    await rig.redis.start();
    await waitUntil(() => rig.commands.status === 'ready', 10_000, 'the connection');
    await rig.send(later(17, 2));
    expect(await rig.settled(51, 20_000)).toMatchObject({ scored: 51, deadLetters: 0 });
    expect(await rig.database.sql(siblings)).toEqual([0, 1, 2].map((n) => ({ siblings: n })));
  });

  test.runIf(THOROUGH)(
    'frozen for three seconds: no entry is lost in a reply that nobody reads',
    async () => {
      rig.startWorker({ RISK_REDIS_TIMEOUT_MS: '500' });
      await rig.send(later(100, 0));
      await rig.settled(100);
      rig.redis.pause();
      await delay(3000);
      rig.redis.resume();
      await waitUntil(
        async () => (await rig.commands.ping().catch(() => '')) === 'PONG',
        5000,
        'redis',
      );
      await rig.send(later(100, 1));
      expect(await rig.settled(200, 20_000)).toMatchObject({ scored: 200, deadLetters: 0 });
    },
  );

  test('full: what is in the streams is worked off, and profiles give way', async () => {
    const first = rig.startWorker();
    await rig.send(later(1, 3));
    await rig.settled(1);
    await first.stop();
    await rig.send(later(300, 0));
    await waitUntil(() => fill(rig.commands), 5000, 'Redis to be full');
    const refused = await rig.store(later(1, 5));
    await rig.openRows(refused);
    await expect(rig.append(refused)).rejects.toThrow(/maxmemory/);
    rig.startWorker();
    const siblings = `select (feature_values(features))[14]::int as siblings from scores where account_id = 'acc_0' and created_at < '2026-11-03' order by created_at`;
    await rig.settled(301);
    await rig.commands.config('SET', 'maxmemory', '0');
    await rig.send(later(17, 1));
    // And the refused one, whose row no entry names.
    expect(await rig.settled(319)).toMatchObject({ scored: 319, deadLetters: 0 });
    const seen = (await rig.database.sql<{ siblings: number }>(siblings)).map(
      (row) => row.siblings,
    );
    expect(seen).toEqual(Array.from({ length: 19 }, (_, index) => index));
  });
});

describe('postgres', () => {
  test('down: workers pause, and no transaction pays for it', async () => {
    await using postgres = await startTestPostgres({ durable: true });
    await migrate({ url: postgres.url, market: 'market_0', corridors: [] });
    const settings = { DATABASE_URL: postgres.url, RISK_WORKER_PORT: '0' };
    // Transactions live in the rig's own database; this one only takes scores, which is all a worker
    // needs as long as every profile is new.
    const worker = rig.startWorker({ ...settings, RISK_CONNECT_TIMEOUT_MS: '500' });
    const count = async () => {
      const { default: pg } = await import('pg');
      const client = new pg.Client({ connectionString: marketUrl(postgres.url) });
      await client.connect();
      try {
        const { rows } = await client.query(
          `select (select count(*)::int from scores) as scored, (select count(*)::int from dead_letters) as dead`,
        );
        return rows[0] as { scored: number; dead: number };
      } finally {
        await client.end();
      }
    };
    const first = await rig.send(later(100, 0));
    await waitUntil(
      async () => (await count()).scored === first.length,
      15_000,
      'the first scores',
    );
    await postgres.kill();
    await rig.send(later(200, 1));
    const pending = async () =>
      Number(((await rig.commands.xpending(rig.stream.transactions, GROUP)) as unknown[])[0]);
    await waitUntil(async () => (await pending()) > 0, 10_000, 'entries to be held');
    // Longer than the claim idle time and all waits of four attempts together.
    await delay(2500);
    expect(await rig.commands.zcount(rig.stream.retries, '-inf', '(+inf')).toBe(0);
    await postgres.start();
    await waitUntil(async () => (await count()).scored === 300, 20_000, 'the last scores');
    expect(await count()).toEqual({ scored: 300, dead: 0 });
    expect(await worker.stop()).toBe(0);
  });

  test('a lock that outlasts the statement timeout is waited for', async () => {
    rig.startWorker({ RISK_STATEMENT_TIMEOUT_MS: '300' });
    const transactions = await rig.store(later(50, 0));
    await rig.pool.transaction(async (query) => {
      await query({ text: 'lock table market.scores in access exclusive mode' });
      await rig.append(transactions);
      await delay(1500);
    });
    expect(await rig.settled(50)).toMatchObject({ scored: 50, deadLetters: 0 });
  });
});
