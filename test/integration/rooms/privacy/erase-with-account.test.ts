/**
 * Goal: with an account go the devices, addresses and members of metadata that it alone had; what others have, or a month in files
 * may have, is left and counted; a hold that is newer than a line of the ledger keeps its subject. Method: two accounts.
 */
import { appendFile, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { buildTable, makeNight } from '../../../../src/core/repair/night/build-table.ts';
import { engineOf } from '../../../../src/kit/words/principal.ts';
import { DAY_MS } from '../../../../src/kit/words/range.ts';
import { runApiHere } from '../../../support/api-here.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { fillDays } from '../../../support/recount-days.ts';
import { makePrivacyFolder } from '../../../support/rooms/privacy/settings.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { storeScoresOf } from '../../../support/stored-rows.ts';
import { answerOf, count, type Input, input, postOne, send } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const FIELDS = ['account_id', 'device_id', 'ip', 'metadata.cards.pan'];
const folder = await openForFile(makePrivacyFolder());
const api = await openForFile(startRunningApi(folder.settings));
const officer = await insertPersonKey(api.testDatabase, 'Ann', ['risk_officer', 'admin']);

const as = (method: 'POST' | 'PUT', path: string, body: object) =>
  send(api, method, path, body, officer);
const erase = (value: unknown) =>
  as('POST', '/v1/erasures', { field: 'account_id', value, reason: 'request 117' });
const pay = async (account: string, fields: Input = {}) => {
  const { body } = await postOne(api, input({ account_id: account, ...fields }));
  return (await answerOf(await api.request(`/v1/transactions/${body.transaction_id}`))).body;
};
const pans = (...all: string[]) => ({ cards: all.map((pan) => ({ pan })) });
const isKnown = (token: string) => count(api, `subjects where token = '${token}'`);

for (const field of FIELDS) await as('PUT', `/v1/personal-fields/${field}`, {});

test('what the account alone had goes with it', async () => {
  const own = await pay('a1', { device_id: 'd1', ip: '198.51.100.1', metadata: pans('p1', 'p2') });
  const both = await pay('a1', { device_id: 'd2', ip: '198.51.100.2', metadata: pans('p3') });
  await pay('a2', { device_id: 'd2', ip: '198.51.100.2', metadata: pans('p4', 'p3') });
  const { status, body } = await erase(own.account_id);
  const one = { erased: 1, shared: 1, unjudged: 0 };
  expect([status, body.also]).toEqual([
    200,
    [
      { field: 'device_id', ...one },
      { field: 'ip', ...one },
      { field: 'metadata.cards.pan', ...one, erased: 2 },
    ],
  ]);
  const tokensOf = (row: Input) => [row['device_id'], row['ip']].map(String);
  for (const token of tokensOf(own)) expect(await isKnown(token)).toBe(0);
  for (const token of tokensOf(both)) expect(await isKnown(token)).toBe(1);
  const lines = (await readFile(folder.ledger, 'utf8')).trim().split('\n');
  expect(lines).toHaveLength(5);
  // A ledger that a full disk cut off must not have the account without what goes along, as a repetition erases nothing more then.
  expect(lines.at(-1)).toContain(own.account_id);
  expect(await count(api, 'erasures where erased_at is not null')).toBe(5);
  expect((await erase(own.account_id)).body).toEqual(body);
});

test('a subject that a month in files may have is left, and cases with notes are named', async () => {
  const paid = await pay('a4', { device_id: 'd4' });
  const { transaction_id: id, created_at: at, account_id: account } = paid;
  await api.testDatabase.sql(
    `insert into archived_months (month, number, step, location, manifest) values ('2001-01', 1, 'cold', '/', '{}')`,
  );
  const late = await pay('a4', { device_id: 'd5' });
  await api.testDatabase.sql(
    `insert into review_cases (transaction_id, created_at, account_id, merchant_id, corridor, amount, currency, market_currency, reasons, source, priority, policy, opened_by, due_at)
     values ($1, $2, $3, 'm_9', 'US-EG', 1, 'USD', 'USD', '{}', 'manual', 1, (select min(version) from review_policies), 'x', now())`,
    [id, at, account],
  );
  await api.testDatabase.sql(
    `insert into review_notes (transaction_id, written_by, note) values ($1, 'x', 'called him')`,
    [id],
  );
  const { body } = await erase(account);
  expect(body.also[0]).toEqual({ field: 'device_id', erased: 1, shared: 0, unjudged: 1 });
  expect(body.noted_cases).toEqual([id]);
  expect([await isKnown(paid.device_id), await isKnown(late.device_id)]).toEqual([1, 0]);
});

test('a hold keeps a subject of the ledger only where the hold is newer than the line', async () => {
  const hold = { kind: 'account', reason: 'x' };
  const [older, newer] = [await pay('a5'), await pay('a6')];
  await as('POST', '/v1/holds', { ...hold, subject: older.account_id });
  const at = new Date().toISOString();
  // Erasures whose commits failed left these lines.
  const lines = [older, newer].map((one) => `market_0 ${one.account_id} ${at}\n`);
  await appendFile(folder.ledger, lines.join(''));
  await as('POST', '/v1/holds', { ...hold, subject: newer.account_id });
  const restarted = await runApiHere({
    DATABASE_URL: api.testDatabase.url,
    REDIS_URL: api.redisService.url,
    PORT: '0',
    ...folder.settings,
  });
  await restarted.stop();
  expect([await isKnown(older.account_id), await isKnown(newer.account_id)]).toEqual([0, 1]);
  expect(await count(api, `erasures where token = '${newer.account_id}'`)).toBe(0);
});

test('a hold that waits for an erasure has the next token of the account', async () => {
  const paid = await pay('a7');
  const { promise: ended, resolve: commit } = Promise.withResolvers<void>();
  const { promise: deleted, resolve: isDeleted } = Promise.withResolvers<void>();
  const erasing = api.database.transaction(async (query) => {
    await query({ text: 'lock table market.legal_holds in share mode' });
    const text = 'delete from market.subjects where token = $1';
    await query({ text }, [paid.account_id]);
    isDeleted();
    await ended;
  });
  await deleted;
  const holding = as('POST', '/v1/holds', { kind: 'account', reason: 'y', subject: 'a7' });
  const isWaiting = () =>
    count(api, `pg_locks where relation = 'legal_holds'::regclass and not granted`);
  await waitUntil(async () => (await isWaiting()) > 0, 5_000, 'the hold to wait');
  commit();
  await erasing;
  const { body } = await holding;
  expect(body.subject).not.toBe(paid.account_id);
  expect(await isKnown(body.subject)).toBe(1);
});

test('an erasure leaves what nights have learnt, as it leaves scores, and the next night learns the same', async () => {
  const paid = await pay('a8', { device_id: 'd8', type: 'cash' });
  const ids = await api.database.query<{ id: string }>({
    text: 'select transaction_id as id from market.transactions',
  });
  await storeScoresOf(
    api.database,
    ids.map(({ id }) => id),
  );
  await fillDays(api.database);
  const day = Math.floor(Date.now() / DAY_MS) + 1;
  const night = { day, maturityDays: 7, signal: new AbortController().signal };
  const { night: built } = await buildTable(api.database, { ...night, by: engineOf('test') });
  expect(built.payments).toBe(ids.length);
  const rows = () =>
    api.testDatabase.sql(
      'select r.*, s.risk from scorecard_rows r join scores s using (transaction_id) order by 1',
    );
  const before = await rows();
  expect((await erase(paid.account_id)).status).toBe(200);
  expect(await isKnown(paid.account_id)).toBe(0);
  expect(await rows()).toEqual(before);
  expect((await makeNight(api.database, night)).bytes).toEqual(built.bytes);
});
