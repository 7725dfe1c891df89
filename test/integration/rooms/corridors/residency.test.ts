/**
 * Goal: data of a corridor stays where its servers are. Method: APIs and workers of one market whose servers have different tags.
 */
import { expect, test } from 'vitest';
import { runApiHere } from '../../../support/api-here.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { RUNNING_API_KEY, startRunningApi } from '../../../support/running-api.ts';
import { input, postBatch, send } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const api = await openForFile(startRunningApi({ RISK_RESIDENCY: 'EU,DE' }));
const elsewhere = {
  ...{ DATABASE_URL: api.testDatabase.url, REDIS_URL: api.redisService.url },
  ...{ RISK_RESIDENCY: 'US', RISK_BOOTSTRAP_KEY: RUNNING_API_KEY, PORT: '0' },
};
const ann = await insertPersonKey(api.testDatabase, 'Ann', ['admin']);
const set = (residency: string) =>
  send(api, 'PUT', '/v1/corridors/US-EG', { residency, reason: 'a test' }, ann);
const scored = async () => {
  const text = 'select distinct corridor from scores order by corridor';
  return (await api.testDatabase.sql<{ corridor: string }>(text)).map(({ corridor }) => corridor);
};

test('servers of another tag neither take nor read a corridor, and no tag of others is set', async () => {
  const refused = await set('US');
  const why = 'data of US-EG must stay in US, and these servers are in EU, DE';
  expect([refused.status, refused.body.detail]).toEqual([409, `residency: ${why}.`]);
  expect((await set('DE')).body).toMatchObject({ residency: 'DE', region: null });
  const both = [input(), input({ corridor: 'US-PH' })];
  expect((await postBatch(api, both)).body).toMatchObject({ accepted: 2 });
  await using stack = new AsyncDisposableStack();
  const away = await runApiHere(elsewhere);
  stack.defer(async () => void (await away.stop()));
  const there = {
    request: (path: string, init?: RequestInit) => {
      const headers = {
        'Content-Type': 'application/json',
        Authorization: `Bearer ${RUNNING_API_KEY}`,
      };
      return fetch(`${away.url}${path}`, { ...init, headers });
    },
  };
  const { status, body } = await send(there, 'POST', '/v1/transactions', input());
  expect([status, body.errors]).toEqual([
    422,
    [
      {
        pointer: '/corridor',
        detail: 'data of US-EG must stay in DE, and these servers are in US',
      },
    ],
  ]);
  const other = input({ corridor: 'US-PH' });
  expect((await send(there, 'POST', '/v1/transactions', other)).status).toBe(201);
  const { code, stdout } = await runRisk(['doctor', '--json'], elsewhere);
  expect([code, stdout]).toEqual([1, expect.stringContaining(body.errors[0].detail)]);
  {
    await using worker = api.startWorker({ RISK_RESIDENCY: 'US' });
    void worker;
    await waitUntil(async () => (await scored()).length > 0, 15_000, 'scores');
    expect(await scored()).toEqual(['US-PH']);
  }
  await using worker = api.startWorker({ RISK_RESIDENCY: 'DE' });
  void worker;
  await waitUntil(async () => (await scored()).length === 2, 15_000, 'the other score');
});
