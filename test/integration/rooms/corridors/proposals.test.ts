/**
 * Goal: figures propose what to do about a corridor, and one person carries it out for a time. Method: an API over stored rows;
 * Postgres' clock passes an end by a changed row.
 */
import { expect, test } from 'vitest';
import { events } from '../../../../src/rooms/corridors/events.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { openCasesOf } from '../../../support/rooms/review/cases.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import {
  idAt,
  storeDeadLetters,
  storeTransactions,
  type TransactionSeed,
} from '../../../support/stored-rows.ts';
import { answerOf, input, labelInput, postBatch, send } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const api = await openForFile(startRunningApi());

const change = (path: string, body: object, key: string) => send(api, 'POST', path, body, key);
const read = async (path: string) => (await answerOf(await api.request(path))).body;
const REASON = { reason: 'a test' };
const roomEvents = async () =>
  (
    await Promise.all(
      events.map(async (source) =>
        source.kind === 'watched' ? await source.find(api.database.query, Date.now()) : [],
      ),
    )
  ).flat();

test('figures propose, one person confirms, and what is carried out ends by itself', async () => {
  const now = Date.now();
  const kim = await insertPersonKey(api.testDatabase, 'Kim', ['operator']);
  const seedsOf = (corridor: string, count: number, own: Partial<TransactionSeed>) =>
    Array.from({ length: count }, (_, nth) => ({
      ...{ createdAtMs: now - 60_000, corridor, accountId: `acc_${corridor}_${nth}`, ...own },
    }));
  const disputed = await storeTransactions(api.database, seedsOf('US-IN', 11, {}));
  const calm = await storeTransactions(api.database, seedsOf('GB-NG', 10, {}));
  await storeTransactions(api.database, seedsOf('US-MX', 200, { score: 900 }));
  await storeTransactions(api.database, seedsOf('GB-PK', 79, { score: 100 }));
  const labels = [...disputed, ...calm].map((transaction_id) => labelInput({ transaction_id }));
  expect((await api.post('/v1/labels', { labels })).status).toBe(200);
  await storeDeadLetters(
    api.database,
    seedsOf('GB-PK', 20, {}).map((seed, nth) => ({
      ...{ id: idAt(now, nth), transactionId: null, corridor: seed.corridor, failedAtMs: now },
    })),
  );
  const proposed = async () =>
    (await read('/v1/proposals')).items.map((one: Record<string, unknown>) => [
      ...[one['id'], one['found'], one['action'], one['blast_radius']],
    ]);
  const radius = (corridor: string, accounts_share: number) => ({
    ...{ corridors: [corridor], accounts_share, is_within: accounts_share < 0.1 },
  });
  const [disputes, declines, errors] = [
    ['disputes:US-IN', 11, 'freeze', radius('US-IN', 11 / 300)],
    ['declines:US-MX', 1, 'tighten', radius('US-MX', 200 / 300)],
    ['errors:GB-PK', 20 / 99, 'freeze', radius('GB-PK', 79 / 300)],
  ];
  expect(await proposed()).toEqual([disputes, declines, errors]);
  expect((await roomEvents()).map(({ id }) => id)).toContain(
    `proposal_disputes_US-IN_${new Date(now).toISOString().slice(0, 13)}`,
  );
  const confirmed = await change('/v1/proposals/disputes:US-IN/confirm', REASON, kim);
  expect([confirmed.status, confirmed.body.scope]).toEqual([200, 'freeze:corridor:US-IN']);
  const { state, freeze } = await read('/v1/corridors/US-IN');
  expect([state, freeze.stopped_by, freeze.reason, freeze.ends_at]).toEqual([
    ...['frozen', 'Kim', 'a test (disputes: 11)', confirmed.body.ends_at],
  ]);
  expect((await change('/v1/proposals/disputes:US-IN/confirm', REASON, kim)).status).toBe(404);
  expect((await api.risk('corridors', 'proposals')).stdout).toMatch(/^errors:GB-PK /m);
  const command = ['corridors', 'confirm', 'declines:US-MX', '--reason', 'a wave'];
  expect((await api.risk(...command)).code).toBe(0);
  expect(await read('/v1/corridors/US-MX')).toMatchObject({
    ...{ state: 'open', stricter: [{ scope: 'tighten:corridor:US-MX', value: 100 }] },
  });
  expect(await proposed()).toEqual([errors]);
  await api.testDatabase.sql(
    `update switches
        set stopped = jsonb_set(stopped, '{freeze:corridor:US-IN,ends_at}', to_jsonb(now()))`,
  );
  expect((await read('/v1/corridors/US-IN')).state).toBe('open');
});

test('cases older than the policy allows propose a throttle, which one person confirms and which ends by itself', async () => {
  const kim = await insertPersonKey(api.testDatabase, 'Kim', ['operator']);
  const createdAtMs = Date.now() - 1_800_000;
  // Every transaction of the hour is one of 30 minutes ago, so that about a third of one comes a second.
  await storeTransactions(
    api.database,
    Array.from({ length: 597 }, () => ({ createdAtMs, corridor: 'US-EG' })),
  );
  const seeds = [700, 700, 600].map((score) => ({ createdAtMs, corridor: 'US-EG', score }));
  const cases = await openCasesOf(api.testDatabase, api.database, seeds);
  const overdue = async () =>
    (await read('/v1/proposals')).items.filter((one: { id: string }) => /^overdue:/.test(one.id));
  expect(await overdue()).toEqual([]);
  const age = `update review_cases set opened_at = now() - interval '241 minutes' where transaction_id = any ($1)`;
  await api.testDatabase.sql(age, [cases]);
  const [proposal, ...others] = await overdue();
  expect([proposal, others]).toEqual([
    expect.objectContaining({
      ...{ id: 'overdue:US-EG', found: 2, threshold: 0, action: 'throttle', hours: 4 },
      ...{ rate_per_second: 0.2, burst: 2, blast_radius: expect.anything() },
    }),
    [],
  ]);
  const three = async (corridor: string) =>
    await postBatch(
      api,
      [1, 2, 3].map(() => input({ corridor })),
    );
  expect((await three('US-EG')).status).toBe(200);
  const confirmed = await change('/v1/proposals/overdue:US-EG/confirm', REASON, kim);
  expect([confirmed.status, confirmed.body.scope]).toEqual([200, 'throttle:corridor:US-EG']);
  const { ends_at } = confirmed.body;
  expect((await read('/v1/limits')).items).toEqual([
    expect.objectContaining({
      ...{ scope: 'throttle:corridor:US-EG', kind: 'transactions', rate_per_second: 0.2, burst: 2 },
      ...{ set_by: 'Kim', reason: 'a test (overdue: 2)', ends_at },
    }),
  ]);
  expect((await read('/v1/audit?limit=1')).items[0]).toMatchObject({
    ...{ who: 'Kim', action: 'limit.set', subject: 'throttle:corridor:US-EG', before: null },
    after: { rate_per_second: 0.2, ends_at },
  });
  expect(await overdue()).toEqual([]);
  const isRefused = async () => (await three('US-EG')).status === 429;
  await waitUntil(isRefused, 5000, 'the throttle to hold');
  const refused = await three('US-EG');
  expect(refused.body).toMatchObject({
    detail: expect.stringContaining('throttle:corridor:US-EG may send 0.2 transactions a second'),
    errors: [{ pointer: '/transactions/0/corridor' }, {}, {}],
  });
  expect((await three('US-MX')).status).toBe(200);
  // No other write ends it: Postgres' clock passes its end.
  await api.testDatabase.sql(`update limits set ends_at = clock_timestamp() + interval '200 ms'`);
  const hasPassed = async () => (await three('US-EG')).status === 200;
  await waitUntil(hasPassed, 5000, 'the throttle to end');
  expect((await read('/v1/limits')).items).toEqual([]);
  expect((await overdue()).map(({ id }: { id: string }) => id)).toEqual(['overdue:US-EG']);
});
