/**
 * Goal: every invalid body of transactions or labels gets the answer of the contract and never a 500, and nothing of it is stored or
 * changed. Method: an API process and a table of bad bodies.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { expectProblem } from '../support/problem.ts';
import { openRunningApi } from '../support/running-api.ts';
import { idAt, storeTransactions } from '../support/stored-rows.ts';
import {
  answerOf,
  count,
  type Input,
  input,
  labelInput,
  postBatch,
  postJson,
  postLabels,
  postOne,
} from '../support/submit.ts';

const api = await openRunningApi();

const stored = () => count(api, 'transactions');
const raw = (body: string | Uint8Array<ArrayBuffer>, path?: string) => postJson(api, body, path);

const nested = (levels: number) => JSON.parse('{"a":'.repeat(levels) + 1 + '}'.repeat(levels));

const BAD_FIELDS: readonly (readonly [string, Input, string])[] = [
  ['amount NaN', { amount: 'NaN' }, '/amount'],
  ['amount 1e2', { amount: '1e2' }, '/amount'],
  ['amount negative', { amount: '-1' }, '/amount'],
  ['amount zero', { amount: '0' }, '/amount'],
  ['amount of too many places', { amount: '1.005' }, '/amount'],
  ['amount of too many places for JPY', { amount: '1.5', currency: 'JPY' }, '/amount'],
  ['amount as a number', { amount: 125.5 }, '/amount'],
  ['currency unknown', { currency: 'ZZZ' }, '/currency'],
  ['currency of the past', { currency: 'HRK' }, '/currency'],
  ['gold', { currency: 'XAU' }, '/currency'],
  ['corridor unknown', { corridor: 'ZZ-EG' }, '/corridor'],
  ['account missing', { account_id: undefined }, '/account_id'],
  ['account empty', { account_id: '' }, '/account_id'],
  ['account too long', { account_id: 'x'.repeat(129) }, '/account_id'],
  ['account with NUL', { account_id: 'a\u0000b' }, '/account_id'],
  ['account with a lone surrogate', { account_id: 'a\ud800' }, '/account_id'],
  ['account with a mark of direction', { account_id: '\u202ea' }, '/account_id'],
  ['merchant as an array', { merchant_id: ['m'] }, '/merchant_id'],
  ['key with a control character', { idempotency_key: 'a\u0085' }, '/idempotency_key'],
  ['key too long', { idempotency_key: 'x'.repeat(256) }, '/idempotency_key'],
  ['time without zone', { created_at: '2026-11-20T09:30:00.000' }, '/created_at'],
  ['time in the future', { created_at: '2099-01-01T00:00:00Z' }, '/created_at'],
  ['unknown field', { status: 'scored' }, '/status'],
  ['unknown field with a slash', { 'a/b~c': 1 }, '/a~1b~0c'],
  ['metadata too large', { metadata: { a: 'x'.repeat(4096) } }, '/metadata'],
  ['metadata that grows in jsonb', { metadata: { a: Array(40).fill(1e308) } }, '/metadata'],
  ['metadata 32 deep', { metadata: nested(32) }, '/metadata'],
];

test('fields that only the clock and the corridors refuse are named with the others', async () => {
  const bad = input({ amount: '-1', corridor: 'ZZ-EG', created_at: '1999-01-01T00:00:00Z' });
  const fields = ['/amount', '/corridor', '/created_at'];
  const pointers = ({ body }: { body: { errors: { pointer: string }[] } }) =>
    body.errors.map(({ pointer }) => pointer);
  expect(pointers(await postOne(api, bad))).toEqual(fields);
  const keyless = input({ idempotency_key: undefined, corridor: 'ZZ-EG' });
  expect(pointers(await postOne(api, keyless))).toEqual(['/idempotency_key', '/corridor']);
  expect(pointers(await postBatch(api, [input({ corridor: 'ZZ-EG' }), bad, input()]))).toEqual([
    '/transactions/1/amount',
    '/transactions/0/corridor',
    ...['corridor', 'created_at'].map((field) => `/transactions/1/${field}`),
  ]);
  const odd = input({ account_id: 7, corridor: ['ZZ-EG'] });
  expect(pointers(await postOne(api, odd))).toEqual(['/account_id', '/corridor']);
});

describe('one transaction', () => {
  test.each(BAD_FIELDS)('%s is 422 at its field', async (_name, fields, pointer) => {
    const before = await stored();
    const { body } = await expectProblem(await raw(JSON.stringify(input(fields))), 422);
    expect(body.errors.map((error: { pointer: string }) => error.pointer)).toEqual([pointer]);
    expect(await stored()).toBe(before);
  });

  test.each([
    ['__proto__ as a field', '"__proto__":{"amount":"1"}', '/__proto__'],
    ['constructor as a field', '"constructor":{"prototype":{}}', '/constructor'],
    ['__proto__ in metadata', '"metadata":{"__proto__":{"x":1}}', '/metadata'],
    ['1e400 in metadata', '"metadata":{"a":1e400}', '/metadata/a'],
  ])('%s is 422', async (_name, member, pointer) => {
    const text = JSON.stringify(input()).replace(/}$/, `,${member}}`);
    const { body } = await expectProblem(await raw(text), 422);
    expect(body.errors[0].pointer).toBe(pointer);
  });

  test.each([
    ['nothing', ''],
    ['half an object', '{"a":'],
    ['NaN', '{"amount":NaN}'],
    ['two values', '{}{}'],
    ['invalid UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
  ])('%s is 400', async (_name, body) => {
    await expectProblem(await raw(body), 400);
  });

  test.each([
    ['null', 'null'],
    ['a list', '[]'],
    ['a text', '"x"'],
    ['a hundred thousand lists in each other', '['.repeat(1e5) + ']'.repeat(1e5)],
    ['a deep unknown field', `{"x":${'['.repeat(1e4)}${']'.repeat(1e4)}}`],
    ['ten thousand unknown fields', `{${Array.from({ length: 1e4 }, (_, n) => `"k${n}":1`)}}`],
  ])('%s is 422', async (_name, body) => {
    const answer = await expectProblem(await raw(body), 422);
    expect(answer.body.errors.length).toBeLessThanOrEqual(100);
  });

  test('a member given twice is 422 at its place, also in a batch', async () => {
    const before = await stored();
    const detail = 'must be given once, not several times';
    const twice = JSON.stringify(input()).replace(/}$/, ',"amount":"7.25"}');
    const one = await expectProblem(await raw(twice), 422);
    expect(one.body.errors).toEqual([{ pointer: '/amount', detail }]);
    const items = `{"transactions":[${JSON.stringify(input())},${twice}]}`;
    const many = await expectProblem(await raw(items, '/v1/transactions/batch'), 422);
    expect(many.body.errors).toEqual([{ pointer: '/transactions/1/amount', detail }]);
    expect(await stored()).toBe(before);
  });

  test.each([
    ['the largest amount', { amount: '999999999999999.99' }],
    ['a currency in its time', { currency: 'BGN', created_at: '2025-12-31T12:00:00.000Z' }],
    ['a new currency', { currency: 'XCG' }],
    ['three places for KWD', { amount: '1.005', currency: 'KWD' }],
    ['no places for JPY', { amount: '100', currency: 'JPY' }],
    ['trailing zeros', { amount: '1.50' }],
    ['right-to-left, four bytes and combined', { account_id: '\u05d0😀\u00e9 e' }],
    ['128 characters of four bytes', { merchant_id: '😀'.repeat(128) }],
    ['SQL in every text', { account_id: "'; drop table transactions; --", device_id: '$1::int' }],
    ['a leap day', { created_at: '2024-02-29T23:59:59.999999Z' }],
    ['metadata of odd names', { metadata: { toString: 1, hasOwnProperty: '$', '': [null] } }],
    ['metadata 31 deep', { metadata: nested(31) }],
  ])('%s comes back as it was sent', async (_name, fields) => {
    const { status, body } = await postOne(api, input(fields));
    expect(status).toBe(201);
    const read = (await (
      await api.request(`/v1/transactions/${body.transaction_id}`)
    ).json()) as Input;
    for (const [name, value] of Object.entries(fields)) {
      if (name !== 'created_at') expect(read[name]).toEqual(value);
    }
  });
});

describe('a batch', () => {
  test.each([
    ['no transaction', { transactions: [] }, '/transactions'],
    ['1,001 transactions', { transactions: Array(1001).fill({}) }, '/transactions'],
    ['no list', { transactions: {} }, '/transactions'],
    ['an unknown field', { transactions: [], dry_run: true }, '/transactions'],
    ['an item that is null', { transactions: [null] }, '/transactions/0'],
    [
      'no key',
      { transactions: [input({ idempotency_key: undefined })] },
      '/transactions/0/idempotency_key',
    ],
    [
      'metadata 30 deep, 33 in all',
      { transactions: [input({ metadata: nested(30) })] },
      '/transactions/0/metadata',
    ],
  ])('of %s is 422', async (_name, body, pointer) => {
    const answer = await expectProblem(
      await raw(JSON.stringify(body), '/v1/transactions/batch'),
      422,
    );
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });

  test('of one and of a thousand is taken', async () => {
    const items = Array.from({ length: 1000 }, () => input());
    expect((await postBatch(api, items.slice(0, 1))).status).toBe(200);
    expect((await postBatch(api, items)).body).toMatchObject({ accepted: 999, duplicates: 1 });
  });
});

test('the refusal of a list names the route of batches, and that of a misspelt field the right name', async () => {
  const many =
    'must be one transaction: POST /v1/transactions/batch takes many, as {"transactions": […]}';
  for (const body of [[input()], { transactions: [input()] }]) {
    const refused = await answerOf(await api.post('/v1/transactions', body));
    expect([refused.status, refused.body.errors]).toEqual([422, [{ pointer: '', detail: many }]]);
  }
  const bare = await answerOf(await api.post('/v1/transactions/batch', [input()]));
  expect(bare.body.errors).toEqual([
    {
      pointer: '',
      detail: 'must be an object, as {"transactions": […]}; POST /v1/transactions takes one',
    },
  ]);
  const misspelt = { ...input(), devise_id: 'd_1', zzz: 1 };
  expect((await postOne(api, misspelt)).body.errors).toEqual([
    { pointer: '/devise_id', detail: 'is not a field; device_id is' },
    {
      pointer: '/zzz',
      detail: expect.stringMatching(/^is not a field: the fields are idempotency_key, account_id,/),
    },
  ]);
  const elsewhere = await postOne(api, input({ corridor: 'XX-XX' }));
  expect(elsewhere.body.errors).toEqual([
    { pointer: '/corridor', detail: expect.stringMatching(/^must be one of '.*, not 'XX-XX'$/) },
  ]);
  const batch = await postBatch(api, [input(), misspelt]);
  expect(batch.body.errors[0]).toEqual({
    pointer: '/transactions/1/devise_id',
    detail: 'is not a field; device_id is',
  });
});

describe('labels', () => {
  const createdAtMs = Date.UTC(2026, 9, 1, 10);
  const id = idAt(createdAtMs, 1);
  const label = (fields: Input = {}) => labelInput({ transaction_id: id, ...fields });
  const byKey = (idempotency_key: unknown) => ({ transaction_id: undefined, idempotency_key });
  beforeAll(async () => {
    await storeTransactions(api.database, [{ id, createdAtMs }]);
  });

  test.each<[string, Input, string]>([
    ['id missing', { transaction_id: undefined }, '/transaction_id'],
    ['id without hyphens', { transaction_id: id.replaceAll('-', '') }, '/transaction_id'],
    ['id of zeros', { transaction_id: id.replaceAll(/[^-]/g, '0') }, '/transaction_id'],
    [
      'id of the last moment',
      { transaction_id: `ffffffff-ffff${id.slice(13)}` },
      '/transaction_id',
    ],
    ['id beside a key', { idempotency_key: 'k' }, '/idempotency_key'],
    ['key too long', byKey('x'.repeat(256)), '/idempotency_key'],
    ['key with NUL', byKey('a\u0000'), '/idempotency_key'],
    ['label unknown', { label: 'maybe' }, '/label'],
    ['source too long', { source: 'x'.repeat(65) }, '/source'],
    ['source with a lone surrogate', { source: 'a\ud800' }, '/source'],
    ['note too long', { note: '😀'.repeat(501) }, '/note'],
    ['note as null', { note: null }, '/note'],
    ['time without zone', { labelled_at: '2026-10-09T09:30:00.000' }, '/labelled_at'],
    ['time of year 9999', { labelled_at: '9999-12-31T23:59:59Z' }, '/labelled_at'],
    ['unknown field', { score: 1 }, '/score'],
  ])('one with %s is 422 at its field, and none is stored', async (_name, fields, pointer) => {
    const { status, body } = await postLabels(api, [label(), label(fields)]);
    expect([status, body.errors.map((error: { pointer: string }) => error.pointer)]).toEqual([
      422,
      [`/labels/1${pointer}`],
    ]);
    expect(await count(api, 'labels')).toBe(0);
  });

  test.each([
    ['null', 'null', ''],
    ['no label', '{"labels":[]}', '/labels'],
    ['a label that is null', '{"labels":[null]}', '/labels/0'],
    ['an unknown field', '{"labels":[],"dry_run":true}', '/labels'],
    ['lists in each other', `{"labels":[${'['.repeat(1e4)}${']'.repeat(1e4)}]}`, '/labels/0'],
  ])('a body of %s is 422', async (_name, body, pointer) => {
    const answer = await expectProblem(await raw(body, '/v1/labels'), 422);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });

  test('a thousand are taken, one more is 422, and of a thousand errors the first hundred are listed', async () => {
    const labels = Array.from({ length: 1001 }, (_, n) => label({ source: `source ${n}` }));
    const many = await postLabels(api, labels);
    expect([many.status, many.body.errors[0].pointer]).toEqual([422, '/labels']);
    expect((await postLabels(api, labels.slice(1))).body).toMatchObject({ accepted: 1000 });
    const unknown = labels
      .slice(1)
      .map((one, n) => ({ ...one, transaction_id: idAt(createdAtMs, n + 2) }));
    const { body } = await postLabels(api, unknown);
    expect(body.errors).toHaveLength(100);
    expect(body.errors[99].pointer).toBe('/labels/99/transaction_id');
    expect(body.detail).toMatch(/ 900 more errors are not listed\.$/);
  });
});
