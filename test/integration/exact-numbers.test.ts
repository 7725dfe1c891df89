/**
 * Goal: digits of a number are never lost: what a double would change is refused at its member, wherever a client's number enters.
 * Method: an API process, raw JSON, lines, queries and files.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectProblem } from '../support/problem.ts';
import { openRunningApi } from '../support/running-api.ts';
import { answerOf, count, type Input, input, labelInput, postJson } from '../support/submit.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const api = await openRunningApi();

const LONG = '12345678901234567890';
const keyed = (metadata: string, fields: Input = {}) =>
  JSON.stringify(input(fields)).replace(/}$/, `,"metadata":${metadata}}`);
const send = (method: string, path: string, body: string) =>
  api.request(path, { method, body, headers: { 'Content-Type': 'application/json' } });
const limit = (rate: string, burst: string) =>
  `{"in_force":true,"rate_per_second":${rate},"burst":${burst},"reason":"why"}`;
const label = JSON.stringify(labelInput()).replace(/}$/, `,"note":${LONG}}`);
const batch = `{"transactions":[${keyed('{"order":1}')},${keyed(`{"order":${LONG}}`)}]}`;
const verdicts = '{"verdicts":{"all":{"review":500.00000000000000001}}}';

const SAID = /^must be a number that a double keeps, and .* would become .*: send a text/;
const SINGLE = 'POST /v1/transactions';
const LOST: readonly (readonly [name: string, at: string, body: string, pointer: string])[] = [
  ['an order number', SINGLE, keyed(`{"order":${LONG}}`), '/metadata/order'],
  ['2^53 + 1', SINGLE, keyed('{"n":9007199254740993}'), '/metadata/n'],
  ['1e400', SINGLE, keyed('{"n":-1e400}'), '/metadata/n'],
  ['1e-400', SINGLE, keyed('{"n":1e-400}'), '/metadata/n'],
  ['a tenth of 30 digits', SINGLE, keyed(`{"n":0.1${'0'.repeat(28)}1}`), '/metadata/n'],
  ['a number in lists', SINGLE, keyed(`{"a/b":[1,[{"c":${LONG}}]]}`), '/metadata/a~1b/1/0/c'],
  ['an account', SINGLE, `{"account_id":${LONG}}`, '/account_id'],
  ['a number of a batch', `${SINGLE}/batch`, batch, '/transactions/1/metadata/order'],
  ['a note of a label', 'POST /v1/labels', `{"labels":[${label}]}`, '/labels/0/note'],
  [
    'a rate',
    'PUT /v1/controls/limit-transactions/client:shop',
    limit('1.00000000000000001', '9'),
    '/rate_per_second',
  ],
  [
    'a burst',
    'PUT /v1/controls/limit-transactions/client:shop',
    limit('1', '9.00000000000000001'),
    '/burst',
  ],
  ['a weight', 'POST /v1/rule-sets/check', '{"w":[0.30000000000000001]}', '/w/0'],
  [
    'a threshold',
    'POST /v1/backtests',
    `{"rule_set":${verdicts}}`,
    '/rule_set/verdicts/all/review',
  ],
  ['a share', 'PUT /v1/corridors/US-EG', '{"weight":2.00000000000000001}', '/weight'],
  ['a number of a webhook', 'POST /v1/webhooks', `{"url":${LONG}}`, '/url'],
  ['an evaluation', 'POST /v1/evaluate', `{"transaction":{"ip":${LONG}}}`, '/transaction/ip'],
];

describe('a number that a double would change', () => {
  test.each(LOST)('%s is 422 at its member, and the answer says to send a text', async (...row) => {
    const [, at, sent, pointer] = row;
    const [method = '', path = ''] = at.split(' ');
    const before = await count(api, 'transactions');
    const { body } = await expectProblem(await send(method, path, sent), 422);
    expect(body.errors).toEqual([{ pointer, detail: expect.stringMatching(SAID) }]);
    expect(await count(api, 'transactions')).toBe(before);
  });

  test('two order numbers of one key are no duplicates, and as texts they differ', async () => {
    const fields = { idempotency_key: 'two-orders' };
    for (const last of ['0', '1']) {
      const answer = await postJson(api, keyed(`{"order":1234567890123456789${last}}`, fields));
      expect(answer.status).toBe(422);
    }
    const [first, second] = ['0', '1'].map((last) =>
      keyed(`{"order":"1234567890123456789${last}"}`, fields),
    );
    expect((await postJson(api, first ?? '')).status).toBe(201);
    const { status, body } = await answerOf(await postJson(api, second ?? ''));
    expect([status, body.type]).toEqual([422, 'urn:risk:problem:key-conflict']);
    expect(body.detail).toContain('metadata differs');
  });

  test('of a line refuses that line alone, and twenty are named of a hundred', async () => {
    const many = `[${Array(100).fill(LONG).join()}]`;
    const lines = [keyed('{"order":1}'), keyed(`{"order":${LONG}}`), keyed(`{"n":${many}}`)];
    const answer = await postJson(api, lines.join('\n'), '/v1/transactions/batch', {
      'Content-Type': 'application/x-ndjson',
    });
    const [taken, refused, full] = (await answer.text())
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(taken).toMatchObject({ index: 0, status: 'accepted' });
    expect(refused).toMatchObject({
      index: 1,
      status: 'invalid',
      errors: [{ pointer: '/metadata/order', detail: expect.stringContaining('send a text') }],
    });
    expect(full.errors).toHaveLength(20);
  });

  test('of a query is refused by its name', async () => {
    const path = '/v1/reviews/capacity?auto_clear_ratio=0.70000000000000001';
    const { body } = await expectProblem(await api.request(path), 422);
    expect(body.errors).toEqual([
      expect.objectContaining({
        pointer: '/auto_clear_ratio',
        detail: expect.stringContaining('a double keeps'),
      }),
    ]);
  });
});

describe('a number that a double keeps', () => {
  test.each([
    ['-0', '0'],
    ['1e+2', '100.00'],
    ['0.1', '0.100000000000000000000000000000'],
    ['1234567890123456800000', '1.2345678901234568e21'],
    ['1.7976931348623157e308', '1.7976931348623157E+308'],
  ])('as %s is stored, and %s is the same body', async (first, again) => {
    const fields = { idempotency_key: `kept ${first}` };
    const made = await answerOf(await postJson(api, keyed(`{"n":[${first}]}`, fields)));
    expect(made.status).toBe(201);
    const repeated = await answerOf(await postJson(api, keyed(`{"n":[${again}]}`, fields)));
    expect([repeated.status, repeated.body.status]).toEqual([200, 'duplicate']);
    const read = await answerOf(await api.request(`/v1/transactions/${made.body.transaction_id}`));
    expect(read.body.metadata).toEqual({ n: [Number(first) + 0] });
  });
});

describe('a file', () => {
  const COLUMNS = [
    'idempotency_key',
    'account_id',
    'merchant_id',
    'amount',
    'currency',
    'corridor',
  ];

  async function replayed(name: string, text: string) {
    const path = join(temporaryFolder(), name);
    writeFileSync(path, text);
    const before = await count(api, 'transactions');
    const ran = await api.risk('replay', path, '--settle-timeout', '1');
    return { ...ran, stored: (await count(api, 'transactions')) - before };
  }

  test('of CSV has JSON in a cell, whose numbers are refused by line', async () => {
    const row = (key: string, order: string) =>
      `${key},acc_1,m_1,1.50,USD,US-EG,"{""order"":${order}}"`;
    const lines = [[...COLUMNS, 'metadata'].join(), row('csv-1', LONG), row('csv-2', '17')];
    const { stderr, stored } = await replayed('orders.csv', `${lines.join('\n')}\n`);
    expect(stderr).toMatch(
      /line 2: \/metadata\/order must be a number that a double keeps, .*: send a text/,
    );
    expect(stored).toBe(1);
  });

  test('of NDJSON is refused by line, a member given twice too', async () => {
    const lines = [
      keyed(`{"order":${LONG}}`),
      keyed('{"order":17}'),
      keyed('{"order":17,"order":18}'),
      // A number of the row itself is read as its text has it.
      keyed('{"order":19}').replace('"acc_17"', LONG),
    ];
    const { stderr, stored } = await replayed('orders.ndjson', `${lines.join('\n')}\n`);
    expect(stderr).toMatch(/line 1: \/metadata\/order must be a number that a double keeps/);
    expect(stderr).toMatch(/line 3: \/metadata\/order must be given once/);
    expect(stored).toBe(2);
    expect(await count(api, `transactions where account_id = '${LONG}'`)).toBe(1);
  });

  test('of a list is refused by line, and nothing is imported', async () => {
    await api.post('/v1/lists', {
      name: 'orders',
      kind: 'account',
      effect: 'block',
      description: 'why',
    });
    const lines = `{"value":"acc_1"}\n{"value":${LONG}}\n`;
    const answer = await api.request('/v1/lists/orders/imports?reason=why', {
      method: 'POST',
      body: lines,
      headers: { 'Content-Type': 'application/x-ndjson' },
    });
    const { body } = await expectProblem(answer, 422);
    expect(body.errors[0].pointer).toBe('/lines/2/value');
    expect(body.errors[0].detail).toContain('must be a text');
  });
});
