/**
 * Goal: figures suggest what to do about a corridor, and one person carries it out for a time. Method: an API over stored rows;
 * Postgres' clock passes an end by a changed row.
 */
import { expect, test } from 'vitest';
import { events } from '../../../../src/rooms/corridors/events.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import {
  idAt,
  storeDeadLetters,
  storeTransactions,
  type TransactionSeed,
} from '../../../support/stored-rows.ts';
import { answerOf, labelInput, send } from '../../../support/submit.ts';

const api = await openForFile(startRunningApi());

const change = (path: string, body: object, key: string) => send(api, 'POST', path, body, key);
const read = async (path: string) => (await answerOf(await api.request(path))).body;
const REASON = { reason: 'a test' };
const roomEvents = async () =>
  (await Promise.all(events.map(({ find }) => find(api.database.query, Date.now())))).flat();

test('figures suggest, one person applies a suggestion, and what is carried out ends by itself', async () => {
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
  const suggested = async () =>
    (await read('/v1/suggestions')).items.map((one: Record<string, unknown>) => [
      one['id'],
      one['found'],
      one['action'],
      one['blast_radius'],
    ]);
  const radius = (corridor: string, accounts_share: number) => ({
    ...{ corridors: [corridor], accounts_share, is_within: accounts_share < 0.1 },
  });
  const [disputes, declines, errors] = [
    ['disputes:US-IN', 11, 'freeze', radius('US-IN', 11 / 300)],
    ['declines:US-MX', 1, 'tighten', radius('US-MX', 200 / 300)],
    ['errors:GB-PK', 20 / 99, 'freeze', radius('GB-PK', 79 / 300)],
  ];
  expect(await suggested()).toEqual([disputes, declines, errors]);
  expect((await roomEvents()).map(({ id }) => id)).toContain(
    `suggestion_disputes_US-IN_${new Date(now).toISOString().slice(0, 13)}`,
  );
  const applied = await change('/v1/suggestions/disputes:US-IN/apply', REASON, kim);
  expect(applied.body).toMatchObject({ kind: 'freeze', scope: 'corridor:US-IN' });
  const { state, controls } = await read('/v1/corridors/US-IN');
  const [freeze] = controls;
  expect([state, freeze.set_by, freeze.reason, freeze.ends_at]).toEqual([
    'frozen',
    'Kim',
    'a test (disputes: 11)',
    applied.body.ends_at,
  ]);
  expect((await change('/v1/suggestions/disputes:US-IN/apply', REASON, kim)).status).toBe(404);
  expect((await api.risk('corridors', 'suggestions')).stdout).toMatch(/^errors:GB-PK /m);
  const command = ['corridors', 'apply', 'declines:US-MX', '--reason', 'a wave'];
  expect((await api.risk(...command)).code).toBe(0);
  expect(await read('/v1/corridors/US-MX')).toMatchObject({
    ...{ state: 'open', controls: [{ kind: 'tighten', value: { points: 100 } }] },
  });
  expect(await suggested()).toEqual([errors]);
  await api.testDatabase.sql("update controls set ends_at = now() where kind = 'freeze'");
  expect((await read('/v1/corridors/US-IN')).state).toBe('open');
});
