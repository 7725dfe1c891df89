/**
 * Goal: no clock and no moment of a loss of Redis leaves a transaction behind: the clock of an API or of the leader is
 * off by ten minutes, a commit comes late, Redis is wiped while the leader reads it. Method: real processes whose clock
 * is set wrong, and the reconciler on real Postgres and Redis.
 */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Reconciler } from '../../src/core/repair/reconcile.ts';
import { bindReconciler } from '../../src/core/repair/reconcile-duty.ts';
import {
  readReconcileState,
  writeReconcileState,
} from '../../src/core/store/recovery/reconcile-state.ts';
import { openCommands, type RedisClient } from '../../src/kit/redis/connection.ts';
import { testConfig } from '../support/config.ts';
import { runRiskProcess } from '../support/risk.ts';
import { type RunningApi, spawnRunningApi, startRunningApi } from '../support/running-api.ts';
import { storeTransactions } from '../support/stored-rows.ts';
import { readEntries } from '../support/stream-entries.ts';
import { input, postBatch } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

const MINUTE_MS = 60_000;
const SKEW_MS = 10 * MINUTE_MS;
const CLOCK = fileURLToPath(new URL('../chaos/support/skewed-clock.ts', import.meta.url));
const DEADLINE_MS = 30_000;
vi.setConfig({ testTimeout: 4 * DEADLINE_MS });
const STREAM = '{market_0:US-EG:0}:transactions';

const skewed = (ms: number) => ({
  NODE_OPTIONS: `--import=${CLOCK}`,
  CHAOS_CLOCK_SKEW_MS: String(ms),
});

let api: RunningApi;
let redis: RedisClient;

/** An API for the tests of a group, whose stores each of them finds empty. */
function withApi(start: () => Promise<RunningApi> = startRunningApi): void {
  beforeAll(async () => {
    api = await start();
    redis = openCommands(api.redisService.url, 2000);
    await waitUntil(() => redis.status === 'ready', DEADLINE_MS, 'redis');
  });
  beforeEach(async () => {
    await api.reset();
    await api.testDatabase.sql(
      `update reconcile_state set redis_identity = null, recovering = false, checkpoint = '2000-01-01'`,
    );
  });
  afterAll(async () => {
    redis.disconnect();
    await api[Symbol.asyncDispose]();
  });
}

const bind = (client: RedisClient = redis) =>
  bindReconciler(
    testConfig({ RISK_RECONCILE_AGE_MS: '500' }),
    api.database,
    client,
    () => undefined,
  );

const runOnce = async (reconciler: Reconciler) =>
  await reconciler.run(new AbortController().signal);

/** Runs until nothing is left to do. */
async function reconcile(reconciler: Reconciler = bind()): Promise<void> {
  await waitUntil(
    async () => {
      const { recovering, appended, batches } = await runOnce(reconciler);
      return !recovering && appended === 0 && batches === 0;
    },
    DEADLINE_MS,
    'the reconciler to be done',
  );
}

const state = async () => await readReconcileState(api.database);
const checkpointAgeMs = async () => Date.now() - (await state()).checkpoint.getTime();

/** Another test may hold a database transaction open in the same cluster: the checkpoint waits for it. */
async function untilCheckpoint(run: () => Promise<unknown>): Promise<void> {
  const { checkpoint: before } = await state();
  await waitUntil(
    async () => {
      await run();
      return (await state()).checkpoint > before;
    },
    DEADLINE_MS,
    'the checkpoint to move',
  );
}

async function settle(reconciler = bind()): Promise<void> {
  await reconcile(reconciler);
  await untilCheckpoint(() => runOnce(reconciler));
}

const openBatches = async () =>
  (await api.testDatabase.sql<{ n: number }>('select count(*)::int as n from ingest_batches'))[0]
    ?.n;

/** Posts and returns the ids, once they are in the stream and no batch is open. */
async function post(count: number): Promise<string[]> {
  const inputs = Array.from({ length: count }, () => input());
  const { status, body } = await postBatch(api, inputs);
  expect(status).toBe(200);
  await waitUntil(async () => (await openBatches()) === 0, DEADLINE_MS, 'no open batch');
  return body.results.map((one: { transaction_id: string }) => one.transaction_id).sort();
}

async function streamed(): Promise<string[]> {
  const payloads = await readEntries(api.redis, STREAM);
  return payloads.map(({ transaction }) => transaction.transactionId).sort();
}

/** Ages everything beyond any margin, with a checkpoint behind it. */
async function age(): Promise<void> {
  const { sql } = api.testDatabase;
  await sql(`update transactions set received_at = received_at - interval '10 minutes'`);
  await sql(`update reconcile_state set checkpoint = now() - interval '1 hour'`);
}

describe.each([
  ['ahead', SKEW_MS],
  ['behind', -SKEW_MS],
])('a clock that is ten minutes %s', (_, skewMs) => {
  withApi(() => spawnRunningApi(skewed(skewMs)));

  test('of an API: what it accepted comes back after a wipe', async () => {
    await settle();
    const ids = await post(50);
    await redis.flushall();
    await reconcile();
    expect(await streamed()).toEqual(ids);
  });

  test('of the leader: the checkpoint is behind what comes next', async () => {
    await reconcile();
    const environment = { DATABASE_URL: api.testDatabase.url, REDIS_URL: api.redisService.url };
    await untilCheckpoint(() =>
      runRiskProcess(['reconcile'], { ...environment, ...skewed(skewMs) }),
    );
    expect(Math.abs(await checkpointAgeMs())).toBeLessThan(SKEW_MS / 2);
    const ids = await post(50);
    await redis.flushall();
    await reconcile();
    expect(await streamed()).toEqual(ids);
  });
});

describe('with right clocks', () => {
  withApi();

  test('an entry and its row name the same time of reception', async () => {
    await post(3);
    const stored = await api.testDatabase.sql<{ at: Date }>(
      'select received_at as at from transactions',
    );
    const payloads = await readEntries(api.redis, STREAM);
    expect(payloads.map(({ transaction }) => transaction.receivedAtMs)).toEqual(
      stored.map(({ at }) => at.getTime()),
    );
  });

  test('what waits for a lock is received once it has it', async () => {
    let posting: Promise<string[]> | undefined;
    const released = await api.database.transaction(async (query) => {
      await query({
        name: 'test-lock',
        text: 'lock table market.ingest_batches in exclusive mode',
      });
      posting = post(1);
      await waitUntil(
        async () =>
          (
            await query({
              name: 'test-waiting',
              text: "select from pg_locks where not granted and relation = 'market.ingest_batches'::regclass",
            })
          ).length > 0,
        DEADLINE_MS,
        'a claim that waits',
      );
      const [row] = await query<{ at: Date }>({
        name: 'test-clock',
        text: 'select clock_timestamp()::timestamptz(3) as at',
      });
      return row?.at.getTime();
    });
    await posting;
    const [stored] = await api.testDatabase.sql<{ at: Date }>(
      'select received_at as at from transactions',
    );
    expect(stored?.at.getTime()).toBeGreaterThanOrEqual(released ?? Number.NaN);
  });

  test('what was received later than Postgres says now comes back', async () => {
    await settle();
    const createdAtMs = Date.now();
    const seed = { createdAtMs, receivedAtMs: createdAtMs + SKEW_MS };
    const ids = await storeTransactions(api.database, [seed, seed, seed]);
    await redis.flushall();
    await reconcile();
    expect(await streamed()).toEqual(ids.sort());
  });

  test('the checkpoint waits for a database transaction that is still open', async () => {
    const reconciler = bind();
    await reconcile(reconciler);
    const createdAtMs = Date.now() - SKEW_MS;
    const ids = await api.database.transaction(async (query) => {
      const stored = await storeTransactions({ ...api.database, query }, [{ createdAtMs }]);
      for (let run = 0; run < 3; run++) await runOnce(reconciler);
      return stored;
    });
    await redis.flushall();
    await reconcile(reconciler);
    expect(await streamed()).toEqual(ids);
    await untilCheckpoint(() => runOnce(reconciler));
    expect(await checkpointAgeMs()).toBeGreaterThan(SKEW_MS);
  });

  test('the checkpoint stays while an entry waits that cannot be read', async () => {
    await reconcile();
    await redis.xadd(STREAM, '*', 'v', '99', 'd', 'of a newer version');
    const { checkpoint: before } = await state();
    for (let run = 0; run < 3; run++) await runOnce(bind());
    expect((await state()).checkpoint).toEqual(before);
    await redis.xtrim(STREAM, 'MAXLEN', 0);
    await untilCheckpoint(() => runOnce(bind()));
  });

  test.each([
    ['all', (client: RedisClient) => client.flushall()],
    ['one stream', (client: RedisClient) => client.del(STREAM)],
  ])(
    'a wipe of %s while the leader reads what waits is noticed before the checkpoint',
    async (_, wipe) => {
      await reconcile();
      const ids = await post(50);
      await age();
      let wipes = 0;
      const wiped = new Proxy(redis, {
        get: (client, name) => {
          const member = Reflect.get(client, name);
          if (name !== 'xrangeBuffer' || wipes > 0) {
            return typeof member === 'function' ? member.bind(client) : member;
          }
          return async (...given: Parameters<RedisClient['xrangeBuffer']>) => {
            wipes++;
            await wipe(client);
            return await client.xrangeBuffer(...given);
          };
        },
      });
      const reconciler = bind(wiped);
      await waitUntil(
        async () => {
          await runOnce(reconciler);
          return wipes > 0;
        },
        DEADLINE_MS,
        'the wipe',
      );
      await reconcile();
      expect(await streamed()).toEqual(ids);
    },
  );

  test('the state is written only where it still is as it was read', async () => {
    await settle();
    const read = await state();
    const moved = { ...read, redisIdentity: 'another' };
    expect(await writeReconcileState(api.database, read, moved)).toBe(true);
    const late = { ...read, checkpoint: new Date() };
    expect(await writeReconcileState(api.database, read, late)).toBe(false);
    expect(await state()).toEqual(moved);
    const recovering = { ...moved, recovering: true };
    expect(await writeReconcileState(api.database, moved, recovering)).toBe(true);
    expect(await writeReconcileState(api.database, moved, { ...moved, ...late })).toBe(false);
    expect(await state()).toEqual(recovering);
  });

  test('a recovery that another process began is ended by one that had one before', async () => {
    const reconciler = bind();
    await reconcile(reconciler);
    const ids = await post(20);
    await redis.flushall();
    await reconcile(reconciler);
    await redis.flushall();
    await bind().run(AbortSignal.abort());
    await reconcile(reconciler);
    expect(await streamed()).toEqual(ids);
  });
});
