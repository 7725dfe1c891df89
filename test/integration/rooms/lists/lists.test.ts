/**
 * Goal: a list answers what it has and had; block and watch act alone, and nobody puts an entry of an allow list in force alone.
 * Method: an API process and its database.
 */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { confirmed, keyIdOf } from '../../../support/approvals.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { RUNNING_API_KEY, startRunningApi } from '../../../support/running-api.ts';
import { send } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const api = await openForFile(startRunningApi({ RISK_TRUSTED_PROXIES: '127.0.0.1' }));
const ann = await insertPersonKey(api.testDatabase, 'Ann', ['analyst', 'risk_officer']);
const bob = await insertPersonKey(api.testDatabase, 'Bob', ['risk_officer']);
const cem = await insertPersonKey(api.testDatabase, 'Cem', ['analyst']);
for (const [name, effect, kind] of [
  ['blocked', 'block', 'device'],
  ['allowed', 'allow', 'account'],
  ['networks', 'watch', 'address'],
  ['hashes', 'block', 'hash'],
]) {
  const made = await as(cem, 'POST', '/v1/lists', { name, effect, kind, description: 'a list' });
  expect(made.status, made.body.detail).toBe(200);
}

function as(key: string, method: string, path: string, body?: object) {
  return send(api, method, path, body, key);
}
const add = (key: string, list: string, value: string, more: object = {}) =>
  as(key, 'POST', `/v1/lists/${list}/entries`, { value, reason: 'why', ...more });
const end = (key: string, list: string, id: string) =>
  as(key, 'DELETE', `/v1/lists/${list}/entries/${id}`);
const valuesOf = async (list: string, query = '') => {
  const { body } = await as(cem, 'GET', `/v1/lists/${list}/entries${query}`);
  return body.items.map(({ value }: { value: string }) => value);
};
const lookup = async (kind: string, value: string) => {
  const query = new URLSearchParams({ kind, value });
  const { body } = await as(cem, 'GET', `/v1/lists/lookup?${query}`);
  return body.items.map(({ list, value }: { list: string; value: string }) => `${list}: ${value}`);
};
const clock = async () => {
  const [row] = await api.testDatabase.sql<{ at: Date }>('select clock_timestamp() as at');
  return row?.at.toISOString() ?? '';
};

test('a list answers as it was at any time', async () => {
  const before = await clock();
  const one = (await add(cem, 'blocked', 'one')).body;
  const two = (await add(cem, 'blocked', 'two')).body;
  expect([one.state, one.added_by, one.valid_to]).toEqual(['in_force', 'Cem', null]);
  expect(await valuesOf('blocked')).toEqual(['two', 'one']);
  const between = await clock();
  const ended = await end(bob, 'blocked', one.entry_id);
  expect([ended.body.state, ended.body.ended_by]).toEqual(['ended', 'Bob']);
  const again = (await add(cem, 'blocked', 'one')).body;
  expect(again.entry_id).not.toBe(one.entry_id);
  await end(cem, 'blocked', again.entry_id);
  await end(cem, 'blocked', two.entry_id);
  expect(await valuesOf('blocked')).toEqual([]);
  const asOf = (time: string) => `?as_of=${encodeURIComponent(time)}`;
  expect(await valuesOf('blocked', asOf(before))).toEqual([]);
  expect(await valuesOf('blocked', asOf(between))).toEqual(['two', 'one']);
  expect(await valuesOf('blocked', asOf(again.valid_from))).toEqual(['one', 'two']);
  expect(await valuesOf('blocked', '?state=all')).toEqual(['one', 'two', 'one']);
  const wrong = await as(cem, 'GET', `/v1/lists/blocked/entries${asOf(before)}&state=all`);
  expect([wrong.status, wrong.body.errors[0].pointer]).toEqual([422, '/state']);
});

test('the same change again changes nothing, and another one says what to do first', async () => {
  const audited = async () => (await api.testDatabase.sql('select from audit_log')).length;
  const first = await add(cem, 'blocked', 'again');
  const rows = await audited();
  expect((await add(cem, 'blocked', 'again')).body).toEqual(first.body);
  const other = await add(cem, 'blocked', 'again', { reason: 'another' });
  expect([other.status, other.body.detail]).toEqual([
    409,
    expect.stringContaining(`end the entry ${first.body.entry_id} first`),
  ]);
  const made = { name: 'blocked', effect: 'block', kind: 'device', description: 'a list' };
  expect((await as(bob, 'POST', '/v1/lists', made)).status).toBe(200);
  expect((await as(bob, 'POST', '/v1/lists', { ...made, kind: 'hash' })).status).toBe(409);
  expect(await audited()).toBe(rows);
  const ended = await end(cem, 'blocked', first.body.entry_id);
  expect((await end(bob, 'blocked', first.body.entry_id)).body).toEqual(ended.body);
  expect(await audited()).toBe(rows + 1);
});

test('a lookup names the lists that have an account, an address within a network, and a hash', async () => {
  await add(cem, 'networks', '10.0.0.0/8');
  await add(cem, 'networks', '10.1.0.0/16');
  await add(cem, 'networks', '2001:db8::/32');
  expect((await lookup('address', '::ffff:10.1.2.3')).toSorted()).toEqual([
    'networks: 10.0.0.0/8',
    'networks: 10.1.0.0/16',
  ]);
  expect(await lookup('address', '2001:db8:1::1')).toEqual(['networks: 2001:db8::/32']);
  expect(await lookup('address', '11.0.0.1')).toEqual([]);
  const hash = createHash('sha256').update('acc_17').digest('hex');
  await add(cem, 'hashes', hash.toUpperCase());
  expect(await lookup('account', 'acc_17')).toEqual([`hashes: ${hash}`]);
  expect(await lookup('account', 'acc_18')).toEqual([]);
});

test('expiry acts by the clock of Postgres', async () => {
  const { body } = await add(cem, 'blocked', 'soon', { expires_at: '2099-01-01T00:00:00Z' });
  expect(await lookup('device', 'soon')).toEqual(['blocked: soon']);
  await api.testDatabase.sql('alter table list_entries disable trigger list_entries_keep');
  await api.testDatabase.sql(
    `update list_entries set expires_at = clock_timestamp() + interval '300 ms' where entry_id = $1`,
    [body.entry_id],
  );
  await api.testDatabase.sql('alter table list_entries enable trigger list_entries_keep');
  await waitUntil(async () => (await lookup('device', 'soon')).length === 0, 5000, 'the expiry');
  const [expired] = (await as(cem, 'GET', '/v1/lists/blocked/entries?state=all&value=soon')).body
    .items;
  expect(expired.state).toBe('expired');
  const renewed = (await add(cem, 'blocked', 'soon')).body;
  expect([renewed.state, renewed.entry_id === body.entry_id]).toEqual(['in_force', false]);
  const asOf = encodeURIComponent(expired.valid_from);
  expect(await valuesOf('blocked', `?as_of=${asOf}&value=soon`)).toEqual(['soon']);
});

describe('an entry of an allow list', () => {
  test('is in the list once another person has confirmed it', async () => {
    const { body } = await add(ann, 'allowed', 'acc_2', { expires_at: '2099-01-01T00:00:00Z' });
    expect([body.state, body.subject, await valuesOf('allowed')]).toEqual([
      ...['waiting', 'allowed acc_2', []],
    ]);
    const nobody = await add(RUNNING_API_KEY, 'allowed', 'acc_3');
    expect([nobody.status, nobody.body.detail]).toEqual([
      409,
      expect.stringContaining('proposed by a person'),
    ]);
    expect(await confirmed(api, bob, body)).toMatchObject({
      ...{ value: 'acc_2', state: 'in_force', added_by: 'Ann', confirmed_by: 'Bob' },
      expires_at: '2099-01-01T00:00:00.000Z',
    });
    expect(await valuesOf('allowed')).toEqual(['acc_2']);
    const again = await add(ann, 'allowed', 'acc_2');
    expect([again.status, again.body.detail]).toEqual([409, expect.stringContaining('by Ann')]);
  });

  test('Postgres itself refuses one person, a rewritten row and a removed one', async () => {
    const { body } = await add(ann, 'allowed', 'acc_4');
    const { sql } = api.testDatabase;
    const insert = (approvalId: string) =>
      sql(
        `insert into list_entries (list, value, reason, added_by, added_by_key, added_at, approval_id, valid_from, version)
         values ('allowed', 'acc_4', 'why', 'Ann', $1, now(), $2, now(), 1)`,
        [keyIdOf(ann), approvalId],
      );
    await expect(insert(body.approval_id)).rejects.toThrow('that two people have approved');
    const { entry_id: id } = await confirmed(api, bob, body);
    await expect(
      sql('update list_entries set value = $2 where entry_id = $1', [id, 'acc_5']),
    ).rejects.toThrow('never changed');
    await expect(sql('delete from list_entries')).rejects.toThrow('never changed');
    await expect(sql(`update lists set effect = 'allow' where name = 'blocked'`)).rejects.toThrow(
      'never change',
    );
  });
});
