/**
 * Goal: no clock leaves a transaction behind: the clock of an API is off by ten minutes, or a commit comes late. Method: real
 * processes whose clock is set wrong, and the reconciler on real Postgres and Redis.
 */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Reconciler } from '../../src/core/repair/reconcile.ts';
import { bindReconciler } from '../../src/core/repair/reconcile.ts';
import { openCommands, type RedisClient } from '../../src/kit/redis/connection.ts';
import { testConfig } from '../support/config.ts';
import { type RunningApi, spawnRunningApi, startRunningApi } from '../support/running-api.ts';
import { readEntries } from '../support/stream-entries.ts';
import { input, postBatch } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

const MINUTE_MS = 60_000;
const SKEW_MS = 10 * MINUTE_MS;
const CLOCK = fileURLToPath(new URL('../chaos/support/skewed-clock.ts', import.meta.url));
const DEADLINE_MS = 30_000;
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
      const { isWhole, lost, rows } = await runOnce(reconciler);
      return isWhole && lost + rows === 0;
    },
    DEADLINE_MS,
    'the reconciler to be done',
  );
}

/** Posts and returns the ids. Their rows are old at once. */
async function post(count: number): Promise<string[]> {
  const inputs = Array.from({ length: count }, () => input());
  const { status, body } = await postBatch(api, inputs);
  expect(status).toBe(200);
  await api.testDatabase.sql(`update open_rows set opened_at = now() - interval '10 minutes'`);
  return body.results.map((one: { transaction_id: string }) => one.transaction_id).sort();
}

async function streamed(): Promise<string[]> {
  const payloads = await readEntries(api.redis, STREAM);
  return payloads.map(({ transaction }) => transaction.transactionId).sort();
}

describe.each([
  ['ahead', SKEW_MS],
  ['behind', -SKEW_MS],
])('a clock that is ten minutes %s', (_, skewMs) => {
  withApi(() => spawnRunningApi(skewed(skewMs)));

  test('of an API: what it accepted comes back after a wipe', async () => {
    const ids = await post(50);
    await redis.flushall();
    await reconcile();
    expect(await streamed()).toEqual(ids);
  });
});

describe('with right clocks', () => {
  withApi();

  test('what waits for a lock is received once it has it', async () => {
    let posting: Promise<string[]> | undefined;
    const released = await api.database.transaction(async (query) => {
      await query({
        name: 'test-lock',
        text: 'lock table market.open_rows in exclusive mode',
      });
      posting = post(1);
      await waitUntil(
        async () =>
          (
            await query({
              name: 'test-waiting',
              text: "select from pg_locks where not granted and relation = 'market.open_rows'::regclass",
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
});
