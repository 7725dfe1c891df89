/** `GET /v1/status` and `/v1/workers` over HTTP: every call counts the waiting work of each kind exactly. */
import { beforeEach, expect, test } from 'vitest';
import { GROUP, streamKeys } from '../../../../src/core/stream/keys.ts';
import type { StatusJson } from '../../../../src/rooms/status/queries/pipeline-status.ts';
import type { WorkerJson } from '../../../../src/rooms/status/queries/workers.ts';
import { openRunningApi } from '../../../support/running-api.ts';
import { storeOpenRows, storeTransactions } from '../../../support/stored-rows.ts';
import { answerOf } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const NOVEMBER = Date.UTC(2026, 10, 15, 12);

const api = await openRunningApi();

beforeEach(() => api.reset());

const readStatus = async (): Promise<StatusJson> =>
  (await (await api.request('/v1/status')).json()) as StatusJson;
/** On a busy machine Redis may answer too late, and a status says that Redis is down. */
const readMeasured = (): Promise<StatusJson> =>
  waitUntil(
    async () => {
      const status = await readStatus();
      return status.redis === 'up' ? status : undefined;
    },
    30_000,
    'a status with Redis',
  );
const corridor = (status: StatusJson, name: string) =>
  status.corridors?.find((row) => row.corridor === name);

test('undelivered, unacknowledged, retried, unappended and open are counted apart', async () => {
  const { transactions, retries } = streamKeys('market_0', 'US-EG', 0);
  const other = streamKeys('market_0', 'GB-NG', 0);
  for (let n = 0; n < 5; n++) await api.redis.xadd(transactions, '*', 'v', '1', 'd', `${n}`);
  await api.redis.xgroup('CREATE', transactions, GROUP, '0');
  await api.redis.xreadgroup('GROUP', GROUP, 'one', 'COUNT', 2, 'STREAMS', transactions, '>');
  await api.redis.zadd(retries, 1, 'a', 2, 'b', 3, 'c');
  await api.redis.xadd(other.transactions, '*', 'v', '1', 'd', 'x');
  const seeds = Array.from({ length: 9 }, (_, n) => ({ createdAtMs: NOVEMBER + n }));
  const ids = await storeTransactions(api.database, seeds);
  await storeOpenRows(api.database.query, new Date(), ids.slice(0, 2));
  await storeOpenRows(api.database.query, new Date(), ids.slice(2), false);
  const status = await readMeasured();
  expect(corridor(status, 'US-EG')).toMatchObject({ lag: 3, pending: 2, retries_due: 3 });
  expect(corridor(status, 'GB-NG')).toMatchObject({ lag: 1, pending: 0, retries_due: 0 });
  expect(status.unappended).toBe(2);
  expect(status.totals.pending).toBe(9);
  await api.redis.xack(transactions, GROUP, ...(await idsOf(transactions)));
  await api.redis.xdel(transactions, ...(await idsOf(transactions)).slice(0, 2));
  expect(corridor(await readMeasured(), 'US-EG')).toMatchObject({ lag: 3, pending: 0 });
});

test('workers are listed while they live or hold entries', async () => {
  /** On a busy machine Redis may answer too late, and the list is answered with 503. */
  const listed = (): Promise<WorkerJson[]> =>
    waitUntil(
      async () => (await answerOf(await api.request('/v1/workers'))).body.items,
      30_000,
      'a list of workers',
    );
  const { transactions } = streamKeys('market_0', 'US-EG', 0);
  // The consumer of a dead worker holds three entries, in a version that no worker reads.
  for (let n = 0; n < 3; n++) await api.redis.xadd(transactions, '*', 'v', '1', 'd', `${n}`);
  await api.redis.xgroup('CREATE', transactions, GROUP, '0');
  const dead = ['GROUP', GROUP, 'dead-1-a-2', 'COUNT', 3, 'STREAMS', transactions, '>'] as const;
  await api.redis.xreadgroup(...dead);
  await using worker = api.startWorker();
  const own = async () => (await listed()).find(({ worker: name }) => name !== 'dead-1-a');
  const isLive = async () => (await own())?.state === 'live' && (await own())?.version !== null;
  await waitUntil(isLive, 30_000, 'a report');
  expect((await listed()).find(({ worker: name }) => name === 'dead-1-a')).toMatchObject({
    started_at: null,
    pending: 3,
    corridors: ['US-EG'],
    pending_by_corridor: [{ corridor: 'US-EG', entries: 3 }],
  });
  const { pending, scored_per_second: rate } = (await own()) ?? {};
  // A pace is known from the second report on, which may have come by now.
  expect([pending, rate ?? 0]).toEqual([0, 0]);
  const { stdout } = await api.risk('workers');
  expect(stdout).toMatch(/^worker +pid +state[\s\S]*dead-1-a +1 +silent .* 3 +US-EG/);
  await worker.stop();
  expect((await listed()).map(({ worker: name }) => name)).toEqual(['dead-1-a']);
});

async function idsOf(stream: string): Promise<string[]> {
  return (await api.redis.xrange(stream, '-', '+')).map(([id]) => id);
}

test('totals and summaries are answered while no row can be read', async () => {
  await storeTransactions(api.database, [{ createdAtMs: NOVEMBER, score: 1 }]);
  await api.database.session(async (client) => {
    await client.query(
      'begin; lock table market_0.transactions, market_0.scores, market_0.dead_letters',
    );
    expect((await readStatus()).totals).toMatchObject({ accepted: 1, scored: 1, dead_lettered: 0 });
    const days = await api.request('/v1/summaries/daily?from=2026-11-15&to=2026-11-15');
    expect(await days.json()).toMatchObject({ items: [{ transactions: 1, mean_score: 1 }] });
    await client.query('rollback');
  });
});

test('daily summaries of a corridor that this process has yet to read are not refused', async () => {
  await api.testDatabase.sql(
    `insert into daily_increments (day, corridor, currency, outcome, count, amount, score_sum)
     values ('2026-11-13', 'YY-YY', 'USD', 'accepted', 1, 1, 0)`,
  );
  const path = '/v1/summaries/daily?from=2026-11-13&to=2026-11-13&corridor=YY-YY';
  expect(await (await api.request(path)).json()).toMatchObject({ items: [{ transactions: 1 }] });
});

test('while Redis is away the rest is told, and what waits is unknown rather than nothing', async () => {
  api.redisService.pause();
  try {
    const status = await readStatus();
    expect(status).toMatchObject({ redis: 'down', workers: null, corridors: null, unappended: 0 });
    expect(status.totals.pending).toBe(0);
    const { code, stdout } = await api.risk('status');
    expect(code).toBe(0);
    expect(stdout).toContain('Redis does not answer');
    expect(stdout).toMatch(
      /^Degradation is at level \d \(redis:.*\): .*: see \/docs\/runbooks#degraded\.$/m,
    );
  } finally {
    api.redisService.resume();
  }
  await waitUntil(async () => (await readStatus()).redis === 'up', 10_000, 'Redis to answer');
});
