/**
 * Goal: nothing newer overtakes in a stream that was full, or whose Redis was away, whichever API process
 * accepted it; what is open elsewhere goes on. Method: two API processes, the reconciler's duty, a tiny
 * stream and a consumer that takes a few entries at a time; entries are compared with what was posted.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bindIngestDuties } from '../../src/cli/bind-reconciler.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { createLeadership } from '../../src/store/leadership.ts';
import { openCommands } from '../../src/stream/connection.ts';
import { streamKeys } from '../../src/stream/keys.ts';
import { runMaintenance } from '../../src/worker/maintenance.ts';
import { silentLog, testConfig } from '../support/config.ts';
import { spawnRisk } from '../support/risk.ts';
import { RUNNING_API_KEY, type RunningApi, startRunningApi } from '../support/running-api.ts';
import { readEntries, takeEntries } from '../support/stream-entries.ts';
import { count, type Input, input } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

const SETTINGS = {
  RISK_STREAM_ENTRIES_MAX: '100',
  RISK_RECONCILE_AGE_MS: '500',
  RISK_REDIS_TIMEOUT_MS: '500',
};
const CORRIDORS = ['US-EG', 'US-MX', 'GB-NG'] as const;
const keysOf = (corridor: string) => streamKeys('market_0', corridor, 0);

type Posted = { readonly id: string; readonly corridor: string };
let stack: AsyncDisposableStack;
let api: RunningApi;
let urls: string[];
/** In the order in which they were accepted. */
let posted: Posted[];
let taken: Map<string, string[]>;
let sequence: number;

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  api = stack.use(await startRunningApi(SETTINGS));
  const other = stack.use(
    spawnRisk(['api'], {
      ...{ DATABASE_URL: api.testDatabase.url, REDIS_URL: api.redisService.url },
      ...{ RISK_BOOTSTRAP_KEY: RUNNING_API_KEY, PORT: '0', ...SETTINGS },
    }),
  );
  const [, url = ''] = await other.waitFor(/"url":"(http:[^"]+)"/, 30_000);
  urls = [api.url, url];
  posted = [];
  taken = new Map(CORRIDORS.map((corridor) => [corridor, []]));
  sequence = 0;
});
afterEach(async () => {
  await stack.disposeAsync();
});

/** Posts a batch to one of the processes, each item a millisecond after the one before. */
async function post(process: number, corridors: readonly string[]): Promise<void> {
  const firstMs = Date.now() - 3_600_000;
  const transactions: Input[] = corridors.map((corridor) => {
    sequence += 1;
    const created_at = new Date(firstMs + sequence).toISOString();
    return input({ corridor, created_at, account_id: `acc_${sequence % 50}` });
  });
  const response = await fetch(`${urls[process]}/v1/transactions/batch`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${RUNNING_API_KEY}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ transactions }),
  });
  const answer = (await response.json()) as { results: { transaction_id: string }[] };
  expect(response.status).toBe(200);
  answer.results.forEach(({ transaction_id }, index) => {
    posted.push({ id: transaction_id, corridor: corridors[index] ?? '' });
  });
}

/** Mostly one corridor, so that the others have room when its stream is full. */
const mixed = (size: number) =>
  Array.from({ length: size }, (_, n) => (n % 10 < 8 ? 'US-EG' : (CORRIDORS[(n % 2) + 1] ?? '')));

/** Takes up to `entriesMax` entries from the front of a stream, as workers do in the end. */
async function take(corridor: string, entriesMax: number): Promise<void> {
  taken.get(corridor)?.push(...(await takeEntries(api.redis, keysOf(corridor), entriesMax)));
}

/** The worker's duty, until the test ends. */
function startReconciler(): void {
  const config = testConfig(SETTINGS);
  const redis = openCommands(api.redisService.url, 1000);
  const leadership = createLeadership(api.database, true);
  const controller = new AbortController();
  const duties = bindIngestDuties(config, api.database, redis, leadership, createMetrics());
  const running = runMaintenance(duties, controller.signal, silentLog());
  stack.defer(async () => {
    controller.abort();
    await running;
    redis.disconnect();
  });
}

/** Taking stores no score, so that what is taken during a recovery would seem lost. */
async function untilRecovered(): Promise<void> {
  const sql = 'select 1 from reconcile_state where redis_identity is not null and not recovering';
  const isDone = async () => (await api.testDatabase.sql(sql)).length === 1;
  await waitUntil(isDone, 15_000, 'the recovery to be over');
}

async function takeAll(): Promise<void> {
  await waitUntil(
    async () => {
      for (const corridor of CORRIDORS) await take(corridor, 40);
      const arrived = new Set([...taken.values()].flat()).size;
      return arrived === posted.length && (await count(api, 'ingest_batches')) === 0;
    },
    25_000,
    'everything to arrive',
  );
}

function expectOrder(): void {
  for (const corridor of CORRIDORS) {
    const expected = posted.filter((one) => one.corridor === corridor).map(({ id }) => id);
    expect(taken.get(corridor)).toEqual(expected);
  }
}

const isHeld = async (corridor: string) => (await api.redis.exists(keysOf(corridor).held)) === 1;

describe('order', () => {
  test('stands in a stream that was full, while others go on', async () => {
    for (let n = 0; n < 12; n++) await post(n % 2, mixed(20));
    const full = await readEntries(api.redis, keysOf('US-EG').transactions);
    expect(full.length).toBeLessThanOrEqual(100);
    expect(await isHeld('US-EG')).toBe(true);
    expect(await isHeld('US-MX')).toBe(false);
    startReconciler();
    await untilRecovered();
    // The held stream has room again and takes nothing from a request all the same.
    for (let n = 0; n < 30; n++) {
      await take('US-EG', 30);
      await post(n % 2, mixed(20));
    }
    await takeAll();
    expectOrder();
    await waitUntil(async () => !(await isHeld('US-EG')), 5000, 'the stream to be released');
    await post(0, mixed(20));
    expect(await readEntries(api.redis, keysOf('US-EG').transactions)).toHaveLength(16);
  });

  test('stands when Redis was away and came back empty', async () => {
    await post(0, mixed(40));
    startReconciler();
    const isClosed = async () => (await count(api, 'ingest_batches')) === 0;
    await waitUntil(isClosed, 5000, 'the first batch to be closed');
    await untilRecovered();
    await api.redisService.kill();
    for (let n = 0; n < 6; n++) await post(n % 2, mixed(20));
    await api.redisService.startEmpty();
    await waitUntil(() => api.redis.status === 'ready', 5000, 'redis');
    // Until requests find it again, which must not let them pass those that did not.
    await waitUntil(
      async () => {
        for (const process of [0, 1]) await post(process, mixed(10));
        return await isHeld('US-EG');
      },
      10_000,
      'the stream to be held',
    );
    for (let n = 0; n < 6; n++) await post(n % 2, mixed(20));
    await untilRecovered();
    await takeAll();
    expectOrder();
  });
});
