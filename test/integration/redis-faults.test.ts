/**
 * Goal: a fault of Redis never loses or doubles an accepted transaction, and delays no request for long. Method: a real Redis
 * is stopped, filled, demoted or frozen under an API process; entries are counted afterwards.
 */
import { describe, expect, test } from 'vitest';
import { open, reconcile, streamedIds } from '../support/ingest-faults.ts';
import type { RunningApi } from '../support/running-api.ts';
import { readRows } from '../support/stored-rows.ts';
import { answerOf, input, postBatch, postOne } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

describe('Redis', () => {
  test('that is gone does not stop the API; the reconciler appends what it accepted', async () => {
    await using api = await open();
    await api.redisService.kill();
    const answers = await Promise.all(Array.from({ length: 20 }, () => postBatch(api, [input()])));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    const { body } = await answerOf(await api.request('/readyz'));
    expect(body).toMatchObject({ status: 'ready', postgres: 'ok', redis: 'unavailable' });
    const [owed] = await api.testDatabase.sql<{ ids: number }>(
      'select sum(cardinality(transaction_ids))::int as ids from open_rows',
    );
    expect(owed?.ids).toBe(20);
    await api.redisService.start();
    await reconcile(api);
    expect((await streamedIds(api)).sort()).toEqual(
      answers.map((answer) => answer.body.results[0].transaction_id).sort(),
    );
    // A failure is counted once for each commit, which several batches share.
    expect(await metric(api, 'risk_stream_append_failures_total')).toBeGreaterThan(0);
  });

  test('that hangs delays one request by its timeout, the next ones not at all', {
    retry: 2,
  }, async () => {
    await using api = await open();
    await postOne(api, input());
    api.redisService.pause();
    expect((await postOne(api, input())).status).toBe(201);
    const startedAt = performance.now();
    expect((await postOne(api, input())).status).toBe(201);
    expect(performance.now() - startedAt).toBeLessThan(450);
    api.redisService.resume();
  });

  test.each([
    ['full', (api: RunningApi) => api.redis.config('SET', 'maxmemory', '1')],
    ['demoted', (api: RunningApi) => api.redis.replicaof('127.0.0.1', 1)],
  ])('that is %s does not stop the API', async (_name, spoil) => {
    await using api = await open();
    await spoil(api);
    const { status, body } = await postBatch(api, [input(), input()]);
    expect([status, body.accepted]).toEqual([200, 2]);
    const isLeft = async () => (await readRows(api.database.query)).some((row) => row.isLeft);
    await waitUntil(isLeft, 5000, 'the row to be left');
    const ready = await waitUntil(
      async () => {
        const answer = await answerOf(await api.request('/readyz'));
        return answer.body.redis === 'unavailable' && answer.status === 200;
      },
      5000,
      'readiness to report it',
    );
    expect(ready).toBe(true);
    await api.redis.config('SET', 'maxmemory', '0');
    await api.redis.replicaof('NO', 'ONE');
    await reconcile(api);
    expect(await streamedIds(api)).toHaveLength(2);
  });

  test('without the group takes entries all the same', async () => {
    await using api = await open();
    await api.redis.flushall();
    expect((await postOne(api, input())).status).toBe(201);
    expect(await streamedIds(api)).toHaveLength(1);
  });

  test('whose stream is full leaves the rest to the reconciler, other corridors go on', async () => {
    await using api = await open({ RISK_STREAM_ENTRIES_MAX: '100' });
    const items = Array.from({ length: 100 }, () => input());
    expect((await postBatch(api, items)).status).toBe(200);
    const { status } = await postBatch(api, [input(), input({ corridor: 'US-MX' })]);
    expect(status).toBe(200);
    expect(await streamedIds(api)).toHaveLength(100);
    expect(await api.redis.xlen('{market_0:US-MX:0}:transactions')).toBe(1);
    const left = async () =>
      (await readRows(api.database.query)).filter(({ isLeft }) => isLeft).length;
    await waitUntil(async () => (await left()) === 1, 5000, 'the refused row to be left');
  });
});

async function metric(api: RunningApi, name: string): Promise<number> {
  const text = await (await api.request('/metrics')).text();
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}
