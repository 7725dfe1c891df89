/**
 * Goal: everybody can use every id that is taken: its spellings are one, a URL carries it, and an id that nobody can use is refused by
 * name. Method: an API process and the same ids at each of its doors.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openRunningApi } from '../support/running-api.ts';
import {
  type Input,
  input,
  labelInput,
  postBatch,
  postLabels,
  postOne,
  send,
} from '../support/submit.ts';
import { folderOfFile } from '../support/temporary-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const api = await openRunningApi();
const folder = folderOfFile();

const [NFC, NFD] = ['Jos\u00e9', 'Jose\u0301'];
const at = encodeURIComponent;

for (const kind of ['account', 'merchant', 'device', 'hash', 'country', 'address']) {
  const list = { name: `${kind}s`, effect: 'watch', kind, description: 'a list' };
  expect((await send(api, 'POST', '/v1/lists', list)).status).toBe(200);
}

async function read(path: string) {
  const response = await api.request(path);
  expect(response.status, path).toBe(200);
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of a body it states field by field
  return (await response.json()) as any;
}

describe('an id that nobody can use is refused by name', () => {
  const UNUSABLE = [
    ['..', "must be a name that a URL can carry, not '..'"],
    [' .', "must be a name that a URL can carry, not '.'"],
    ['a\u200b', "must have no characters that nobody sees, not U+200B in 'a\ufffd'"],
    ['\ufeffa', "must have no characters that nobody sees, not U+FEFF in '\ufffda'"],
  ] as const;
  const payment = (field: string) => input({ [field]: 'ID' });
  test.each<[string, string, object]>([
    ...['account_id', 'merchant_id', 'device_id', 'idempotency_key', 'type', 'channel'].map(
      (field): [string, string, object] => [`/${field}`, '/v1/transactions', payment(field)],
    ),
    ['/transactions/0/type', '/v1/transactions/batch', { transactions: [payment('type')] }],
    ['/account_id', '/v1/evaluate', payment('account_id')],
    ['/labels/0/source', '/v1/labels', { labels: [labelInput({ source: 'ID' })] }],
    [
      '/labels/0/idempotency_key',
      '/v1/labels',
      { labels: [labelInput(payment('idempotency_key'))] },
    ],
    ['/value', '/v1/lists/accounts/entries', { value: 'ID', reason: 'why' }],
    ['/client', '/v1/keys', { roles: ['ingest'], client: 'ID', owner: 'team' }],
    ['/owner', '/v1/keys', { roles: ['ingest'], owner: 'ID' }],
    ['/identity', '/v1/keys', { roles: ['ingest'], identity: 'ID' }],
    ['/client', '/v1/webhooks', { url: 'https://shop.example/', event_types: [], client: 'ID' }],
    ['/subject', '/v1/holds', { kind: 'account', subject: 'ID', reason: 'x' }],
  ])('at %s of %s', async (pointer, path, fields) => {
    for (const [id, detail] of UNUSABLE) {
      const body = JSON.parse(JSON.stringify(fields).replace('"ID"', JSON.stringify(id)));
      const answer = await send(api, 'POST', path, body);
      expect(answer.status).toBe(422);
      expect(answer.body.errors).toContainEqual({ pointer, detail });
    }
  });

  test.each([
    ...['account_id', 'merchant_id', 'device_id', 'client'].map((name) => `transactions?${name}`),
    ...['labels?account_id', 'labels?source', 'reviews?assignee', 'reviews?locked_by', 'audit?who'],
    ...['lists/lookup?kind=account&value', 'lists/accounts/entries?value'],
  ])('in the query of %s', async (query) => {
    for (const [id, detail] of UNUSABLE) {
      const { status, body } = await send(api, 'GET', `/v1/${query}=${at(id)}`);
      expect([status, body.errors?.[0].detail]).toEqual([422, detail]);
    }
  });

  test.each([
    ...['accounts/ID/profile', 'merchants/ID/profile', 'devices/ID/profile'],
    'idempotency-keys/ID',
  ])('in the path %s', async (path) => {
    const { status, body } = await send(api, 'GET', `/v1/${path.replace('ID', at('a\u200e'))}`);
    expect([status, body.errors[0].detail]).toEqual([422, expect.stringContaining('U+200E')]);
  });

  test.each(['.', '..', '\uff0e', '\u2025'])('as the name of a person: %j', async (identity) => {
    const made = await send(api, 'POST', '/v1/keys', { roles: ['ingest'], identity });
    expect(made.status).toBe(422);
  });

  test('on a command line, before another path is asked', async () => {
    const { code, stderr } = await api.risk('lists', 'show', '..');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/a URL can carry, not '\.\.'/)]);
  });
});

describe('two forms of an id are one', () => {
  const both = { account_id: NFD, merchant_id: ` ${NFD}`, device_id: `${NFD}\u00a0`, type: NFD };
  const one = { account_id: NFC, merchant_id: NFC, device_id: NFC, type: NFC };

  test('in answers, profiles and searches, and a repetition in another form is a duplicate', async () => {
    const first = input({ ...one, idempotency_key: `k-${NFC}`, channel: NFC });
    const { status, body } = await postOne(api, first);
    expect(status).toBe(201);
    const again = { ...first, ...both, idempotency_key: `k-${NFD} `, channel: NFD };
    expect((await postOne(api, again)).body).toMatchObject({
      status: 'duplicate',
      transaction_id: body.transaction_id,
    });
    const { body: other } = await postOne(api, input(both));
    expect(await read(`/v1/transactions/${other.transaction_id}`)).toMatchObject(one);
    const twice = await postBatch(api, [input(one), input(both)]);
    expect(twice.body.accepted).toBe(2);
    for (const form of [NFC, NFD, ` ${NFD}`]) {
      for (const party of ['account', 'merchant', 'device']) {
        const profile = await read(`/v1/${party}s/${at(form)}/profile`);
        expect(profile).toMatchObject({ [`${party}_id`]: NFC });
        const found = await read(`/v1/transactions?${party}_id=${at(form)}`);
        expect(found.items).toHaveLength(4);
      }
      expect(await read(`/v1/idempotency-keys/${at(`k-${form.trim()} `)}`)).toEqual({
        transaction_id: body.transaction_id,
      });
    }
  });

  test('within a batch, where two forms of a key with two bodies are rivals', async () => {
    const rivals = [NFC, NFD].map((form, nth) =>
      input({ idempotency_key: `rival-${form}`, amount: `${nth + 1}.00` }),
    );
    const { status, body } = await postBatch(api, rivals);
    expect([status, body.errors.length]).toEqual([422, 2]);
  });

  test('of labels: by the key and by the source', async () => {
    const key = `label-${NFC}`;
    await postOne(api, input({ idempotency_key: key }));
    const label = labelInput({ idempotency_key: `label-${NFD}`, source: `bank ${NFD}` });
    expect((await postLabels(api, [label])).body).toMatchObject({ accepted: 1 });
    const same = { ...label, idempotency_key: key, source: `bank ${NFC}` };
    expect((await postLabels(api, [same])).body).toMatchObject({ unchanged: 1 });
    const found = await read(`/v1/labels?source=${at(`bank ${NFD}`)}`);
    expect(found.items).toMatchObject([{ source: `bank ${NFC}` }]);
  });

  test('of lists: an entry, a look-up, and the hash of an account', async () => {
    const add = (list: string, value: string) =>
      send(api, 'POST', `/v1/lists/${list}/entries`, { value, reason: 'why' });
    expect((await add('accounts', `${NFD}\u00a0`)).body).toMatchObject({ value: NFC });
    await add('hashs', ` ${createHash('sha256').update(NFC).digest('hex')}`);
    for (const form of [NFC, NFD, `${NFD} `]) {
      const { items } = await read(`/v1/lists/lookup?kind=account&value=${at(form)}`);
      expect(items.map((entry: Input) => entry['list'])).toEqual(['accounts', 'hashs']);
      expect((await read(`/v1/lists/accounts/entries?value=${at(form)}`)).items).toHaveLength(1);
    }
  });

  test('of clients and owners of keys', async () => {
    await send(api, 'POST', '/v1/keys', { roles: ['ingest'], client: `${NFD} `, owner: NFD });
    const [key] = (await read('/v1/keys')).items;
    expect(key).toMatchObject({ client: NFC, owner: NFC });
  });
});

test.each([
  [NFC, NFD],
  ['my shop', 'my shop\u00a0'],
  ['\u65e5\u672c', '\u65e5\u672c'],
])('a client of any name is stopped and limited by its name: %s', async (client, spelled) => {
  const made = await send(api, 'POST', '/v1/keys', { roles: ['ingest'], client, owner: 'team' });
  const submit = () => send(api, 'POST', '/v1/transactions', input(), made.body.key);
  expect((await submit()).status).toBe(201);
  const scope = at(`client:${spelled}`);
  const stop = { in_force: true, reason: 'why' };
  expect((await send(api, 'PUT', `/v1/controls/stop/${scope}`, stop)).body.control.scope).toBe(
    `client:${client}`,
  );
  const stopped = async () => ((await submit()).status === 503 ? true : undefined);
  await waitUntil(stopped, 5000, 'the stop');
  const start = { in_force: false, reason: 'why' };
  expect((await send(api, 'PUT', `/v1/controls/stop/${scope}`, start)).status).toBe(200);
  const limit = { in_force: true, rate_per_second: 0.01, burst: 1, reason: 'why' };
  const limited = await send(api, 'PUT', `/v1/controls/limit-transactions/${scope}`, limit);
  expect(limited.body.control.scope).toBe(`client:${client}`);
  const isLimited = async () => ((await submit()).status === 429 ? true : undefined);
  await waitUntil(isLimited, 5000, 'the limit');
});

test('each id that is taken is read by its path, whatever its characters are to a URL', async () => {
  const odd = `a/b / // \\ a%2Fb % 100% %2e%2e %252e a?b a#b a;b a+b ... ./a ../a a/.. ~ a:b @ & = " ' < {id} * é א`;
  const ids = [...odd.split(' '), 'a b', '😀'.repeat(128), '𝒜'.repeat(128)];
  for (const id of ids) {
    const payment = input({ account_id: id, device_id: id, idempotency_key: id });
    const { body } = await postOne(api, payment);
    expect((await read(`/v1/accounts/${at(id)}/profile`)).account_id).toBe(id);
    expect((await read(`/v1/devices/${at(id)}/profile`)).device_id).toBe(id);
    expect(await read(`/v1/idempotency-keys/${at(id)}`)).toEqual({
      transaction_id: body.transaction_id,
    });
    expect((await read(`/v1/transactions?account_id=${at(id)}`)).items).toHaveLength(1);
    const entry = { value: id, reason: 'why' };
    expect((await send(api, 'POST', '/v1/lists/devices/entries', entry)).body.value).toBe(id);
    expect((await read(`/v1/lists/lookup?kind=device&value=${at(id)}`)).items).toHaveLength(1);
  }
});

describe('a file', () => {
  const write = (name: string, rows: readonly string[]) => {
    const path = join(folder, name);
    writeFileSync(path, rows.join('\n'));
    return path;
  };
  const importTo = (list: string, path: string) =>
    api.risk('lists', 'import', list, path, '--reason', 'a file');

  test.each([
    [
      'merchants',
      [' m-1 ', '\u00a0m-2\u3000', '\tm-3', `m ${NFD}`],
      ['m-1', 'm-2', 'm-3', `m ${NFC}`],
    ],
    ['devices', ['"d-1 "', '"\u2003d-2"'], ['d-1', 'd-2']],
    ['countrys', ['EG ', '\u00a0US'], ['EG', 'US']],
    ['addresss', [' 203.0.113.7', '203.0.113.0/24 '], ['203.0.113.7', '203.0.113.0/24']],
  ])('of a list of %s loses the blanks at the edges of its cells', async (list, cells, values) => {
    const { code, stderr } = await importTo(list, write(`${list}.csv`, ['value ', ...cells]));
    expect(code, stderr).toBe(0);
    const { items } = await read(`/v1/lists/${list}/entries`);
    expect(items.map(({ value }: Input) => value)).toEqual(expect.arrayContaining(values));
  });

  test.each([
    ['csv', ['value', 'x-1', 'x\u200b2', 'x-\ufeff3', 'x\u00ad4', '..']],
    ['ndjson', ['{"value":"x-1"}', '{}', '{"value":"x\\u200f2"}', '{"value":" ."}']],
  ])('of a list is refused by its lines with unusable ids (%s)', async (form, rows) => {
    const { code, stderr } = await importTo('accounts', write(`hidden.${form}`, rows));
    const lines = [...stderr.matchAll(/line (\d+): value must (have no characters|be a name)/g)];
    expect([code, lines.map(([, line]) => line)]).toEqual([
      1,
      form === 'csv' ? ['3', '4', '5', '6'] : ['3', '4'],
    ]);
  });

  test('of payments and of labels is trimmed cell by cell, and refused by line', async () => {
    const payments = write('payments.csv', [
      'idempotency_key,account_id,merchant_id,amount,currency,corridor ,created_at',
      'file-1 , acc_file,m_9\u00a0,1.50 , USD,US-EG\u3000, 2026-11-20T09:30:00Z ',
      'file-2,acc\u200b_file,m_9,1.50,USD,US-EG,',
    ]);
    await using _worker = api.startWorker();
    const posted = await api.risk('replay', payments);
    expect(posted.stderr).toMatch(/line 3: [^\n]*account_id must [^\n]*U\+200B/);
    expect((await read('/v1/transactions?account_id=acc_file')).items).toHaveLength(1);
    const labels = write('labels.csv', [
      'idempotency_key,label,labelled_at,source',
      ' file-1,fraud , 2026-11-20T10:30:00Z,bank ',
    ]);
    expect((await api.risk('labels', 'import', labels)).code).toBe(0);
    const { items } = await read('/v1/labels?account_id=acc_file');
    expect(items).toMatchObject([{ source: 'bank' }]);
  });
});
