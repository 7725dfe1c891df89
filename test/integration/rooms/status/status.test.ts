/** `GET /v1/status` and `/v1/workers` over HTTP: every call counts the waiting work of each kind exactly. */
import { beforeEach, expect, test } from 'vitest';
import { GROUP, streamKeys } from '../../../../src/core/stream/keys.ts';
import { announceModelsOut } from '../../../../src/core/stream/status/models-out.ts';
import type { StatusJson } from '../../../../src/rooms/status/queries/pipeline-status.ts';
import type { WorkerJson } from '../../../../src/rooms/status/queries/workers.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { spawnRisk } from '../../../support/risk.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import {
  idAt,
  storeDeadLetters,
  storeOpenRows,
  storeTransactions,
} from '../../../support/stored-rows.ts';
import { answerOf } from '../../../support/submit.ts';
import { THOROUGH } from '../../../support/thorough.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const NOVEMBER = Date.UTC(2026, 10, 15, 12);

const api = await openForFile(startRunningApi());

beforeEach(() => api.reset());

const readStatus = async (): Promise<StatusJson> =>
  (await (await api.request('/v1/status')).json()) as StatusJson;
const corridor = (status: StatusJson, name: string) =>
  status.corridors?.find((row) => row.corridor === name);

test('an idle engine has every corridor and nothing waiting', async () => {
  const status = await readStatus();
  expect(status).toMatchObject({ redis: 'up', unappended: 0, breakers: [], degradation: 0 });
  expect(status.totals.pending).toBe(0);
  expect(status.corridors?.length).toBeGreaterThanOrEqual(12);
  expect(status.corridors?.every((row) => row.lag + row.pending + row.retries_due === 0)).toBe(
    true,
  );
});

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
  const status = await readStatus();
  expect(corridor(status, 'US-EG')).toMatchObject({ lag: 3, pending: 2, retries_due: 3 });
  expect(corridor(status, 'GB-NG')).toMatchObject({ lag: 1, pending: 0, retries_due: 0 });
  expect(status.unappended).toBe(2);
  expect(status.totals.pending).toBe(9);
  await api.redis.xack(transactions, GROUP, ...(await idsOf(transactions)));
  await api.redis.xdel(transactions, ...(await idsOf(transactions)).slice(0, 2));
  expect(corridor(await readStatus(), 'US-EG')).toMatchObject({ lag: 3, pending: 0 });
});

test('workers are listed while they live or hold entries', async () => {
  const listed = async (): Promise<WorkerJson[]> =>
    (await answerOf(await api.request('/v1/workers'))).body.items;
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

test.runIf(THOROUGH)(
  'a frozen worker is missed, and one that ended in good order is not',
  async () => {
    const environment = { DATABASE_URL: api.testDatabase.url, REDIS_URL: api.redisService.url };
    const countsAre = async (live: number, missing: number) => {
      const { workers } = await readStatus();
      return workers?.live === live && workers.missing === missing;
    };
    await using worker = spawnRisk(['worker'], environment);
    await using other = spawnRisk(['worker'], environment);
    // Had one fallen silent before the other one started, the other one would replace it.
    const haveMet = async () => {
      const { items } = (await answerOf(await api.request('/v1/workers'))).body;
      const times = (field: string) => items.map((one: WorkerJson) => Reflect.get(one, field));
      return (
        items.length === 2 && times('seen_at').toSorted()[0] > times('started_at').toSorted()[1]
      );
    };
    await waitUntil(haveMet, 30_000, 'reports of two workers');
    worker.kill('SIGSTOP');
    await waitUntil(() => countsAre(1, 1), 30_000, 'a missing worker');
    const { stdout } = await api.risk('status');
    expect(stdout).toContain(
      'A worker is missing; bin/risk workers names the silent ones: see /docs/runbooks#workerdeaf.',
    );
    const { stdout: listed } = await api.risk('workers');
    expect(listed).toMatch(new RegExp(`^\\S+ +${worker.pid} +silent `, 'm'));
    worker.kill('SIGCONT');
    await waitUntil(() => countsAre(2, 0), 30_000, 'the worker to report again');
    other.kill('SIGTERM');
    await other.exited;
    expect(await countsAre(1, 0)).toBe(true);
  },
);

async function idsOf(stream: string): Promise<string[]> {
  return (await api.redis.xrange(stream, '-', '+')).map(([id]) => id);
}

test('totals count rows and transactions that ended as dead letters', async () => {
  const ids = await storeTransactions(api.database, [
    { id: idAt(NOVEMBER, 1), createdAtMs: NOVEMBER, score: 1 },
    { id: idAt(NOVEMBER, 2), createdAtMs: NOVEMBER - 40 * 86_400_000, score: 2 },
    { id: idAt(NOVEMBER, 3), createdAtMs: NOVEMBER },
    { id: idAt(NOVEMBER, 4), createdAtMs: NOVEMBER },
  ]);
  await storeDeadLetters(api.database, [
    { id: idAt(NOVEMBER, 11), transactionId: ids[2] ?? '', failedAtMs: NOVEMBER },
    { id: idAt(NOVEMBER, 12), transactionId: ids[3] ?? '', failedAtMs: NOVEMBER },
    { id: idAt(NOVEMBER, 13), transactionId: null, failedAtMs: NOVEMBER },
  ]);
  await api.testDatabase.sql(
    'update dead_letters set purged_at = now() where dead_letter_id = $1',
    [idAt(NOVEMBER, 12)],
  );
  const status = await readStatus();
  expect(status.totals).toMatchObject({ accepted: 4, scored: 2, dead_lettered: 2, pending: 0 });
  expect(corridor(status, 'US-EG')?.dead_letters).toBe(2);
  expect(Date.parse(status.totals_counted_at)).toBeLessThanOrEqual(Date.parse(status.at));
});

test('the time from receipt to score is told of all and of each corridor, null where none was scored', async () => {
  const createdAtMs = Date.now() - 1000;
  await storeTransactions(api.database, [{ createdAtMs, score: 1, corridor: 'GB-NG' }]);
  const figures = { latency_p50_ms: 50, latency_p95_ms: 50, latency_transactions: 1 };
  const isTold = async () => (await readStatus()).latency_transactions === 1;
  await waitUntil(isTold, 10_000, 'the latency to be read again');
  const status = await readStatus();
  const newest = { latency_newest_at: new Date(createdAtMs + 50).toISOString() };
  expect(status).toMatchObject({ ...figures, ...newest });
  expect(corridor(status, 'GB-NG')).toMatchObject({ ...figures, ...newest });
  expect(corridor(status, 'US-EG')).toMatchObject({
    ...{ latency_p50_ms: null, latency_p95_ms: null },
    ...{ latency_transactions: 0, latency_newest_at: null },
  });
});

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

test('summaries count dead letters on the day that they were given up, until they are purged, and not by currency', async () => {
  const day = '/v1/summaries/daily?from=2026-10-03&to=2026-10-03';
  const read = async (query: string) => await (await api.request(`${day}&${query}`)).json();
  const failedAtMs = Date.UTC(2026, 9, 3, 12);
  const rest = { transactionId: null, failedAtMs, corridor: 'GB-NG' };
  const ids = [idAt(failedAtMs, 1), idAt(failedAtMs, 2)];
  await storeDeadLetters(
    api.database,
    ids.map((id) => ({ id, ...rest })),
  );
  expect(await read('group_by=corridor')).toMatchObject({
    items: [{ day: '2026-10-03', corridor: 'GB-NG', transactions: 0, dead_letters: 2 }],
  });
  expect(await read('group_by=currency')).toMatchObject({ items: [] });
  await api.testDatabase.sql(
    'update dead_letters set purged_at = now() where dead_letter_id = $1',
    [ids[0]],
  );
  // A question that was not asked before, so that no answer in memory counts.
  expect(await read('corridor=GB-NG')).toMatchObject({ items: [{ dead_letters: 1 }] });
});

test('a model that a worker speaks of as out is told with its corridor, which is at level 1', async () => {
  await announceModelsOut(api.redis, 'market_0', [{ corridor: 'US-EG', model: 'm@1' }]);
  const isHeard = async () => corridor(await readStatus(), 'US-EG')?.degradation === 1;
  await waitUntil(isHeard, 10_000, 'the API to hear of the model');
  const status = await readStatus();
  expect(corridor(status, 'US-EG')).toMatchObject({
    breakers: ['model:US-EG:m@1:open'],
    degradation: 1,
  });
  expect(corridor(status, 'GB-NG')).toMatchObject({ breakers: [], degradation: 0 });
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
      /^Degradation is at level \d \(redis:.*\): see \/docs\/runbooks#degraded\.$/m,
    );
  } finally {
    api.redisService.resume();
  }
  await waitUntil(async () => (await readStatus()).redis === 'up', 10_000, 'Redis to answer');
});
