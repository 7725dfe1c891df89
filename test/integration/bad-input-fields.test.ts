/**
 * Goal: every invalid body gets the answer of the contract and never a 500, and nothing of it is stored or
 * changed. Method: an API process and a table of bad bodies.
 */
import { describe, expect, test } from 'vitest';
import { openForFile } from '../support/open-for-file.ts';
import { expectProblem } from '../support/problem.ts';
import { startRunningApi } from '../support/running-api.ts';
import {
  answerOf,
  count,
  type Input,
  input,
  postBatch,
  postJson,
  postOne,
} from '../support/submit.ts';

const api = await openForFile(startRunningApi());

const stored = () => count(api, 'transactions');
const raw = (body: string | Uint8Array<ArrayBuffer>, path?: string) => postJson(api, body, path);

const nested = (levels: number) => JSON.parse('{"a":'.repeat(levels) + 1 + '}'.repeat(levels));
const LONG = 'x'.repeat(10_000);

const BAD_FIELDS: readonly (readonly [string, Input, string])[] = [
  ['amount NaN', { amount: 'NaN' }, '/amount'],
  ['amount Infinity', { amount: 'Infinity' }, '/amount'],
  ['amount 1e400', { amount: '1e400' }, '/amount'],
  ['amount 1e2', { amount: '1e2' }, '/amount'],
  ['amount negative', { amount: '-1' }, '/amount'],
  ['amount minus zero', { amount: '-0' }, '/amount'],
  ['amount zero', { amount: '0' }, '/amount'],
  ['amount zero with places', { amount: '0.00' }, '/amount'],
  ['amount 1e30 written out', { amount: `1${'0'.repeat(30)}` }, '/amount'],
  ['amount with comma', { amount: '1,5' }, '/amount'],
  ['amount hexadecimal', { amount: '0x10' }, '/amount'],
  ['amount with a leading zero', { amount: '01.50' }, '/amount'],
  ['amount with spaces', { amount: ' 1.50' }, '/amount'],
  ['amount ending in a newline', { amount: '1.50\n' }, '/amount'],
  ['amount in other digits', { amount: '١٢' }, '/amount'],
  ['amount of too many places', { amount: '1.005' }, '/amount'],
  ['amount of too many places for JPY', { amount: '1.5', currency: 'JPY' }, '/amount'],
  ['amount as a number', { amount: 125.5 }, '/amount'],
  ['amount as 2^53+1', { amount: Number('9007199254740993') }, '/amount'],
  ['amount null', { amount: null }, '/amount'],
  ['currency unknown', { currency: 'ZZZ' }, '/currency'],
  ['currency gold', { currency: 'XAU' }, '/currency'],
  ['currency lower case', { currency: 'usd' }, '/currency'],
  ['currency __proto__', { currency: '__proto__' }, '/currency'],
  ['corridor unknown', { corridor: 'ZZ-EG' }, '/corridor'],
  ['corridor malformed', { corridor: 'US_EG' }, '/corridor'],
  ['account missing', { account_id: undefined }, '/account_id'],
  ['account empty', { account_id: '' }, '/account_id'],
  ['account too long', { account_id: 'x'.repeat(129) }, '/account_id'],
  ['account far too long', { account_id: LONG }, '/account_id'],
  ['account with NUL', { account_id: 'a\u0000b' }, '/account_id'],
  ['account with a newline', { account_id: 'a\nb' }, '/account_id'],
  ['account with a lone surrogate', { account_id: 'a\ud800' }, '/account_id'],
  ['account as a number', { account_id: 7 }, '/account_id'],
  ['merchant as an array', { merchant_id: ['m'] }, '/merchant_id'],
  ['key with a control character', { idempotency_key: 'a\u0085' }, '/idempotency_key'],
  ['key too long', { idempotency_key: 'x'.repeat(256) }, '/idempotency_key'],
  ['time without zone', { created_at: '2026-11-20T09:30:00.000' }, '/created_at'],
  ['time without time', { created_at: '2026-11-20' }, '/created_at'],
  ['time in words', { created_at: 'Fri, 20 Nov 2026 09:30:00 GMT' }, '/created_at'],
  ['time ancient', { created_at: '1999-12-31T23:59:59.999Z' }, '/created_at'],
  ['time of year 0000', { created_at: '0000-01-01T00:00:00Z' }, '/created_at'],
  ['time in the future', { created_at: '2099-01-01T00:00:00Z' }, '/created_at'],
  ['time of year 294277', { created_at: '+294277-01-01T00:00:00Z' }, '/created_at'],
  ['30 February', { created_at: '2026-02-30T00:00:00Z' }, '/created_at'],
  ['hour 24', { created_at: '2026-02-03T24:00:00Z' }, '/created_at'],
  ['leap second', { created_at: '2016-12-31T23:59:60Z' }, '/created_at'],
  ['zone of 99 hours', { created_at: '2026-02-03T00:00:00+99:00' }, '/created_at'],
  ['time as a number', { created_at: 1763631000000 }, '/created_at'],
  ['ip', { ip: '256.1.1.1' }, '/ip'],
  ['country', { country: 'usa' }, '/country'],
  ['country that nobody has', { country: 'ZZ' }, '/country'],
  ['unknown field', { status: 'scored' }, '/status'],
  ['unknown field with a slash', { 'a/b~c': 1 }, '/a~1b~0c'],
  ['metadata as a list', { metadata: [] }, '/metadata'],
  ['metadata too large', { metadata: { a: 'x'.repeat(4096) } }, '/metadata'],
  ['metadata that grows in jsonb', { metadata: { a: Array(40).fill(1e308) } }, '/metadata'],
  ['metadata with NUL', { metadata: { a: 'x\u0000' } }, '/metadata'],
  ['metadata with NUL in a name', { metadata: { 'x\u0000': 1 } }, '/metadata'],
  ['metadata with a lone surrogate', { metadata: { a: ['\udfff'] } }, '/metadata'],
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
    ['1e400 in metadata', '"metadata":{"a":1e400}', '/metadata'],
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
    ['three places for KWD', { amount: '1.005', currency: 'KWD' }],
    ['no places for JPY', { amount: '100', currency: 'JPY' }],
    ['trailing zeros', { amount: '1.50' }],
    ['right-to-left, four bytes, combined and decomposed', { account_id: '\u202e😀é e\u0301' }],
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

  test('pollutes no prototype', async () => {
    await raw(JSON.stringify(input()).replace(/}$/, ',"__proto__":{"polluted":1}}'));
    expect((await answerOf(await api.request('/livez'))).body).toEqual({ status: 'alive' });
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

  test('of a hundred thousand empty items is refused at once', async () => {
    const body = JSON.stringify({ transactions: Array(100_000).fill(0) });
    await expectProblem(await raw(body, '/v1/transactions/batch'), 422);
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
