/** Goal: a list has all rows of an import or none, and an import into an allow list takes two people. Method: an API process. */
import { expect, test } from 'vitest';
import { confirm, confirmed } from '../../../support/approvals.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { answerOf } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const api = await openForFile(startRunningApi());
const ann = await insertPersonKey(api.testDatabase, 'Ann', ['analyst', 'risk_officer']);
const bob = await insertPersonKey(api.testDatabase, 'Bob', ['risk_officer']);
for (const [name, effect, kind] of [
  ['devices', 'block', 'device'],
  ['friends', 'allow', 'account'],
  ['networks', 'watch', 'address'],
]) {
  const body = JSON.stringify({ name, effect, kind, description: 'a list' });
  const made = await as(ann, 'POST', '/v1/lists', { body, type: 'application/json' });
  expect(made.status).toBe(200);
}

async function as(
  key: string,
  method: string,
  path: string,
  sent: { body?: string; type?: string } = {},
) {
  const headers = { Authorization: `Bearer ${key}`, 'Content-Type': sent.type ?? '' };
  return await answerOf(await api.request(path, { method, headers, body: sent.body ?? null }));
}
const send = (list: string, lines: readonly object[], key = ann) =>
  as(key, 'POST', `/v1/lists/${list}/imports?reason=a+wave`, {
    body: lines.map((line) => JSON.stringify(line)).join('\n'),
    type: 'application/x-ndjson',
  });
const entries = async (list: string, query = '') =>
  (await as(ann, 'GET', `/v1/lists/${list}/entries${query}`)).body.items;
const lists = async (kind: string, value: string) => {
  const { body } = await as(ann, 'GET', `/v1/lists/lookup?${new URLSearchParams({ kind, value })}`);
  return body.items.map(({ list }: { list: string }) => list);
};

test('CSV and lines import alike, and a file again changes nothing', async () => {
  const body = 'value,reason,expires_at\r\n"a, b",own,\r\nc,,2099-01-01T00:00:00Z\r\nc,,\r\n';
  const csv = { body, type: 'text/csv' };
  const first = await as(ann, 'POST', '/v1/lists/devices/imports?reason=a+wave', csv);
  expect(first.body).toMatchObject({ rows: 3, added: 2, state: 'in_force', added_by: 'Ann' });
  const again = await as(ann, 'POST', '/v1/lists/devices/imports?reason=a+wave', csv);
  expect([again.body.rows, again.body.added]).toEqual([3, 0]);
  const stored = await entries('devices');
  expect(stored.map(({ value, reason }: Record<string, string>) => [value, reason])).toEqual([
    ['c', 'a wave'],
    ['a, b', 'own'],
  ]);
  expect(stored[0]).toMatchObject({ import_id: first.body.import_id, added_by: 'Ann' });
  const wrong = { body: 'account\r\nx\r\n', type: 'text/csv' };
  const refused = await as(ann, 'POST', '/v1/lists/devices/imports?reason=why', wrong);
  expect([refused.status, refused.body.detail]).toEqual([
    422,
    expect.stringContaining("'account'"),
  ]);
});

test('an import into an allow list is in force as a whole, once another person approves it', async () => {
  const { body } = await send('friends', [{ value: 'acc_1' }, { value: 'acc_2' }]);
  expect([body.state, await lists('account', 'acc_1')]).toEqual(['proposed', []]);
  expect((await confirm(api, ann, body.approval_id)).status).toBe(409);
  const byOne = 'update list_imports set valid_from = now() where import_id = $1';
  const { sql } = api.testDatabase;
  await expect(sql(byOne, [body.import_id])).rejects.toThrow('that two people have approved');
  const approved = await confirmed(api, bob, body);
  expect(approved).toMatchObject({ import_id: body.import_id, confirmed_by: 'Bob' });
  expect(await lists('account', 'acc_2')).toEqual(['friends']);
  const late = `insert into list_entries (list, value, import_id) values ('friends', 'acc_3', $1)`;
  await expect(sql(late, [body.import_id])).rejects.toThrow('takes no entries');
  const other = (await send('friends', [{ value: 'acc_9' }])).body;
  await as(ann, 'DELETE', `/v1/lists/friends/imports/${other.import_id}`);
  expect((await confirm(api, bob, other.approval_id)).body.detail).toContain('is withdrawn');
  const ended = await as(ann, 'DELETE', `/v1/lists/friends/imports/${body.import_id}`);
  expect([ended.body.state, await lists('account', 'acc_1')]).toEqual(['ended', []]);
  const asOf = encodeURIComponent(String(approved['valid_from']));
  expect(await entries('friends', `?as_of=${asOf}`)).toHaveLength(2);
});

test('a body that breaks off imports nothing', async () => {
  const before = (await entries('devices', '?state=all')).length;
  async function* broken() {
    yield Buffer.from('{"value":"d1"}\n{"value":"d2"}\n');
    throw new Error('gone');
  }
  const sent = api.request('/v1/lists/devices/imports?reason=why', {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-ndjson' },
    body: ReadableStream.from(broken()),
    ...{ duplex: 'half' },
  });
  await expect(sent).rejects.toThrow();
  // The process does one import at a time, and notices the end of the body in its own time.
  const isTaken = async () => (await send('devices', [{ value: 'd3' }])).body.added === 1;
  await waitUntil(isTaken, 10_000, 'the end of the first import');
  expect((await entries('devices', '?state=all')).length).toBe(before + 1);
});
