/**
 * Goal: no store, stream, log or figure of a market that declares personal fields has a clear value; its client reads its own back,
 * others read tokens, and an erased value comes back by no restored backup. Method: values that occur nowhere else are sent
 * through every door, and looked for in everything that is kept.
 */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { runApiHere } from '../../../support/api-here.ts';
import { confirmed } from '../../../support/approvals.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { dumpKeys, dumpTables, findIn } from '../../../support/rooms/privacy/canaries.ts';
import { makePrivacyFolder } from '../../../support/rooms/privacy/settings.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { type Answer, answerOf, count, input } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const FIELDS = ['account_id', 'device_id', 'ip', 'metadata.customer.email', 'metadata.born'];
const TOKEN = /^tok_[0-9a-f]{32}$/;
/** Sent as fields that are not personal, so they show that the search finds what is there. */
const CONTROL = 'control-value-of-a-merchant';

const folder = await openForFile(makePrivacyFolder());
const api = await openForFile(startRunningApi({ ...folder.settings, LOG_LEVEL: 'trace' }));
const keys = { client: '', analyst: '', reader: '', officer: '' };

type Options = { readonly body?: object; readonly headers?: Record<string, string> };
async function as(
  who: keyof typeof keys,
  operation: string,
  { body, headers }: Options = {},
): Promise<Answer> {
  const [method = '', path = ''] = operation.split(' ');
  return await answerOf(
    await api.request(path, {
      method,
      ...(body && { body: JSON.stringify(body) }),
      headers: {
        Authorization: `Bearer ${keys[who]}`,
        'Content-Type': 'application/json',
        ...headers,
      },
    }),
  );
}

let people = 0;
/** A payment of somebody new, with a canary in each personal field. */
function canary() {
  people += 1;
  const name = `canary-${people}-${process.pid}`;
  const clear = {
    account_id: `account:${name}/ä`,
    device_id: `device:${name}`,
    ip: `203.0.113.${people}`,
    metadata: { customer: { email: `${name}@mail.example` }, born: 19_450_508 + people, tier: 'x' },
  };
  const { customer, born } = clear.metadata;
  const values = [clear.account_id, clear.device_id, clear.ip, customer.email, String(born)];
  return { clear, values };
}
type Canary = ReturnType<typeof canary>;

const all: Canary[] = [];
async function send(one = canary(), fields: object = {}): Promise<{ one: Canary; answer: Answer }> {
  all.push(one);
  const body = input({ ...one.clear, merchant_id: CONTROL, ...fields });
  return { one, answer: await as('client', 'POST /v1/transactions', { body }) };
}

const hold = async (subject: string) =>
  (await as('officer', 'POST /v1/holds', { body: { kind: 'account', subject, reason: 'x' } })).body;
const lift = (id: string) => as('officer', `POST /v1/holds/${id}/lift`, { body: { reason: 'x' } });
const settled = (id: string) =>
  waitUntil(
    async () => (await as('analyst', `GET /v1/transactions/${id}`)).body.status !== 'accepted',
    15_000,
    'an outcome',
  );

const made = (roles: string[], client: string) =>
  api.post('/v1/keys', { roles, client, owner: 'x' });
keys.client = (await answerOf(await made(['ingest'], 'shop'))).body.key;
keys.analyst = (await answerOf(await made(['analyst'], 'bank'))).body.key;
keys.reader = await insertPersonKey(api.testDatabase, 'Rhea', ['personal_data']);
keys.officer = await insertPersonKey(api.testDatabase, 'Ann', ['risk_officer', 'admin']);
const { hold_id: id } = await hold('acc_clear');
const early = await as('officer', 'PUT /v1/personal-fields/account_id');
expect([early.status, early.body.code]).toEqual([409, 'PERSONAL_LATE']);
await lift(id);
for (const field of FIELDS) {
  const { status, body } = await as('officer', `PUT /v1/personal-fields/${field}`);
  expect([field, status, body.field]).toEqual([field, 200, field]);
}

test('clear values are in no table, key, stream, log, metric, event or dead letter', async () => {
  const poisoned = api.startWorker({
    RISK_TEST_POISON: 'throw:tok_',
    RISK_RETRY_BASE_MS: '1',
  });
  const dead = await send();
  expect(dead.answer.status).toBe(201);
  await settled(dead.answer.body.transaction_id);
  await poisoned.stop();
  await using _worker = api.startWorker();
  const scored = await send(undefined, { created_at: new Date().toISOString() });
  const batch = canary();
  all.push(batch);
  const transactions = [input({ ...batch.clear, merchant_id: CONTROL })];
  const whole = await as('client', 'POST /v1/transactions/batch', { body: { transactions } });
  const lines = canary();
  all.push(lines);
  const line = await api.request('/v1/transactions/batch', {
    method: 'POST',
    body: `${JSON.stringify(input({ ...lines.clear, merchant_id: CONTROL }))}\n`,
    headers: { Authorization: `Bearer ${keys.client}`, 'Content-Type': 'application/x-ndjson' },
  });
  expect([whole.body.accepted, (await line.text()).includes('"accepted":1')]).toEqual([1, true]);
  await settled(scored.answer.body.transaction_id);
  const question = encodeURIComponent(scored.one.clear.account_id);
  await as('analyst', `GET /v1/exports/transactions?format=ndjson&account_id=${question}`);
  await as('analyst', `GET /v1/accounts/${encodeURIComponent('nobody:canary')}/profile`);

  const metrics = await (await api.request('/metrics')).text();
  const letters = await as('officer', 'GET /v1/dead-letters');
  const kept = {
    postgres: await dumpTables(api.testDatabase),
    redis: await dumpKeys(api.redis),
    log: api.log(),
    metrics,
    letters: JSON.stringify(letters.body),
  };
  expect(letters.body.items[0].account_id ?? letters.body.items[0].message.account_id).toMatch(
    TOKEN,
  );
  expect(findIn(kept.postgres, [CONTROL])).toEqual([CONTROL]);
  expect(findIn(kept.redis, [CONTROL])).toEqual([CONTROL]);
  const values = all.flatMap((one) => one.values);
  for (const [where, text] of Object.entries(kept)) {
    expect([where, findIn(text, values)]).toEqual([where, []]);
  }
});

test('a client reads its own values back, and everybody else reads tokens', async () => {
  await using _worker = api.startWorker();
  const { one, answer } = await send();
  const [{ clear }, id] = [one, answer.body.transaction_id];
  await settled(id);
  const own = await as('client', `GET /v1/transactions/${id}`);
  expect(own.body).toMatchObject(clear);
  const { body: scored, headers: kept } = await as('client', `GET /v1/scores/${id}`);
  expect([scored.account_id, kept.get('etag')]).toEqual([clear.account_id, null]);
  const body = input({ ...clear, merchant_id: CONTROL });
  const waited = await as('client', 'POST /v1/transactions', {
    body,
    headers: { Prefer: 'wait=5' },
  });
  expect(waited.body.score.account_id).toBe(clear.account_id);

  const seen = (await as('analyst', `GET /v1/transactions/${id}`)).body;
  expect(findIn(JSON.stringify(seen), one.values)).toEqual([]);
  expect(seen.account_id).toMatch(TOKEN);
  expect(seen.metadata).toMatchObject({ tier: 'x', born: expect.stringMatching(TOKEN) });
  for (const asked of [clear.account_id, seen.account_id]) {
    const found = await as(
      'analyst',
      `GET /v1/transactions?account_id=${encodeURIComponent(asked)}&ip=${clear.ip}`,
    );
    expect(found.body.items).toHaveLength(2);
    const profile = await as('analyst', `GET /v1/accounts/${encodeURIComponent(asked)}/profile`);
    expect(profile.status).toBe(200);
  }
  const whatIf = await as('analyst', 'POST /v1/evaluate', {
    body: input({ ...clear, merchant_id: CONTROL }),
  });
  expect(whatIf.status).toBe(200);

  const forged = await send(undefined, { account_id: seen.account_id });
  expect(forged.answer.status).toBe(422);
  expect(forged.answer.body.errors[0].pointer).toBe('/account_id');
  // A field that is not declared shows what was sent in it, a token of somebody else, too.
  const written = await send(undefined, { channel: seen.account_id });
  const readBack = await as('client', `GET /v1/transactions/${written.answer.body.transaction_id}`);
  expect(readBack.body.channel).toBe(seen.account_id);

  const path = `GET /v1/subjects/${seen.account_id}`;
  const headers = { 'Risk-Reason': 'case 4711' };
  for (const who of ['client', 'analyst', 'officer'] as const)
    expect((await as(who, path, { headers })).status).toBe(403);
  expect((await as('reader', path)).status).toBe(422);
  expect((await as('reader', path, { headers })).body.value).toBe(clear.account_id);
  const audit = await as('officer', 'GET /v1/audit?action=personal.read');
  expect(audit.body.items[0]).toMatchObject({
    who: 'Rhea',
    subject: seen.account_id,
    after: { field: 'account_id', reason: 'case 4711' },
  });
});

test('an erased value leads nowhere, also after the restore of a backup that has it', async () => {
  const { one, answer } = await send();
  const path = `/v1/transactions/${answer.body.transaction_id}`;
  const token = (await as('analyst', `GET ${path}`)).body.account_id;
  const backup = await api.testDatabase.sql<{ row: object }>(
    'select to_jsonb(s) as row from subjects s where token = $1',
    [token],
  );
  const erase = { field: 'account_id', value: one.clear.account_id, reason: 'request 117' };
  const erased = await as('officer', 'POST /v1/erasures', { body: erase });
  expect(erased.body).toMatchObject({ token, asked_by: 'Ann' });
  expect(await readFile(folder.ledger, 'utf8')).toContain(token);
  expect(await count(api, `subjects where token = '${token}'`)).toBe(0);
  expect((await as('client', `GET ${path}`)).body.account_id).toBe(token);
  expect((await as('officer', 'POST /v1/erasures', { body: erase })).status).toBe(404);
  const again = await send(one, { device_id: 'another' });
  const later = await as('analyst', `GET /v1/transactions/${again.answer.body.transaction_id}`);
  expect(later.body.account_id).toMatch(TOKEN);
  expect(later.body.account_id).not.toBe(token);

  // A backup from before the erasure knows the subject by the same lookup.
  await api.testDatabase.sql('delete from subjects where token = $1', [later.body.account_id]);
  await api.testDatabase.sql('delete from erasures where token = $1', [token]);
  await api.testDatabase.sql(
    'insert into subjects select (jsonb_populate_record(null::subjects, $1)).*',
    [backup[0]?.row],
  );
  const stores = { DATABASE_URL: api.testDatabase.url, REDIS_URL: api.redisService.url };
  const environment = { ...stores, PORT: '0', ...folder.settings };
  const restored = await runApiHere(environment);
  await restored.stop();
  expect(await count(api, `subjects where token = '${token}'`)).toBe(0);
  expect(await count(api, `erasures where token = '${token}'`)).toBe(1);
  const elsewhere = { ...environment, RISK_ERASURE_LEDGER: `${folder.ledger}-empty` };
  await expect(runApiHere(elsewhere)).rejects.toThrow(/RISK_ERASURE_LEDGER.* lacks 5 of the 5/);
  const withoutKey = { ...environment, RISK_PRIVACY_KEYS: folder.otherKeys };
  await expect(runApiHere(withoutKey)).rejects.toThrow(/RISK_PRIVACY_KEYS has no key k1/);
});

test('two forms of a value are one subject, which an erasure finds by either', async () => {
  const forms = ['Jose\u0301', 'Jos\u00e9'].map((name) => ({
    account_id: `account:${name}`,
    metadata: { customer: { email: `${name}@mail.example` } },
  }));
  const seen: Answer['body'][] = [];
  for (const fields of forms) {
    const { answer } = await send(undefined, fields);
    seen.push((await as('analyst', `GET /v1/transactions/${answer.body.transaction_id}`)).body);
  }
  const tokens = seen.map(({ account_id, metadata }) => [account_id, metadata.customer.email]);
  expect(tokens[0]).toEqual(tokens[1]);
  const of = { field: 'metadata.customer.email', reason: 'request 119' };
  const value = forms[0]?.metadata.customer.email;
  const erased = await as('officer', 'POST /v1/erasures', { body: { ...of, value } });
  expect(erased.body).toMatchObject({ token: tokens[1]?.[1] });
  const account = { field: 'account_id', value: forms[0]?.account_id, reason: 'request 119' };
  const other = await as('officer', 'POST /v1/erasures', { body: account });
  expect(other.body).toMatchObject({ token: tokens[1]?.[0] });
});

test('a value on a block list is erased once another person confirms', async () => {
  const list = { name: 'stolen', effect: 'block', kind: 'account', description: 'x' };
  await as('officer', 'POST /v1/lists', { body: list });
  const { one, answer } = await send();
  const value = one.clear.account_id;
  const body = { value, reason: 'stolen' };
  const added = await as('officer', 'POST /v1/lists/stolen/entries', { body });
  const { body: seen } = await as('analyst', `GET /v1/transactions/${answer.body.transaction_id}`);
  expect(added.body.value).toBe(seen.account_id);
  const looked = `GET /v1/lists/lookup?kind=account&value=${encodeURIComponent(value)}`;
  expect((await as('analyst', looked)).body.items).toHaveLength(1);

  const erase = { body: { field: 'account_id', value, reason: 'request 118' } };
  const { hold_id: id } = await hold(value);
  const device = { ...erase.body, field: 'device_id', value: one.clear.device_id };
  for (const body of [erase.body, device]) {
    const kept = await as('officer', 'POST /v1/erasures', { body });
    expect([kept.status, kept.body.code]).toEqual([409, 'HELD']);
  }
  await lift(id);
  const waits = await as('officer', 'POST /v1/erasures', erase);
  expect([waits.status, waits.body]).toMatchObject([
    200,
    { kind: 'erasure', state: 'waiting', detail: { blocked_by: ['stolen'] } },
  ]);
  expect((await as('officer', 'POST /v1/erasures', erase)).body).toEqual(waits.body);
  expect(await count(api, `subjects where token = '${added.body.value}'`)).toBe(1);
  const bob = await insertPersonKey(api.testDatabase, 'Bob', ['risk_officer', 'admin']);
  const erased = await confirmed(api, bob, waits.body);
  expect(await count(api, `subjects where token = '${added.body.value}'`)).toBe(0);
  expect(erased).toMatchObject({ asked_by: 'Ann', confirmed_by: 'Bob' });
});
