/**
 * Goal: every invalid body of labels gets the answer of the contract and never a 500, and nothing of it is
 * stored. Method: an API process and a table of bad bodies.
 */
import { describe, expect, test } from 'vitest';
import { openForFile } from '../support/open-for-file.ts';
import { expectProblem } from '../support/problem.ts';
import { startRunningApi } from '../support/running-api.ts';
import { idAt, storeTransactions } from '../support/stored-rows.ts';
import { count, type Input, labelInput, postJson, postLabels } from '../support/submit.ts';

const CREATED_MS = Date.UTC(2026, 9, 1, 10);
const ID = idAt(CREATED_MS, 1);

const api = await openForFile(startRunningApi());
await storeTransactions(api.database, [{ id: ID, createdAtMs: CREATED_MS }]);

const raw = (body: string | Uint8Array<ArrayBuffer>) => postJson(api, body, '/v1/labels');
const label = (fields: Input = {}) => labelInput({ transaction_id: ID, ...fields });

const BAD_FIELDS: readonly (readonly [string, Input, string])[] = [
  ['id missing', { transaction_id: undefined }, '/transaction_id'],
  ['id empty', { transaction_id: '' }, '/transaction_id'],
  ['id null', { transaction_id: null }, '/transaction_id'],
  ['id as a number', { transaction_id: 7 }, '/transaction_id'],
  ['id with NUL', { transaction_id: `${ID}\u0000` }, '/transaction_id'],
  ['id with a newline', { transaction_id: `${ID}\n` }, '/transaction_id'],
  ['id without hyphens', { transaction_id: ID.replaceAll('-', '') }, '/transaction_id'],
  ['id of zeros', { transaction_id: ID.replaceAll(/[^-]/g, '0') }, '/transaction_id'],
  [
    'id of the last moment',
    { transaction_id: ID.replace(/^.{13}/, 'ffffffff-ffff') },
    '/transaction_id',
  ],
  ['id __proto__', { transaction_id: '__proto__' }, '/transaction_id'],
  ['id beside a key', { idempotency_key: 'k' }, '/idempotency_key'],
  ['key empty', { transaction_id: undefined, idempotency_key: '' }, '/idempotency_key'],
  [
    'key too long',
    { transaction_id: undefined, idempotency_key: 'x'.repeat(256) },
    '/idempotency_key',
  ],
  ['key with NUL', { transaction_id: undefined, idempotency_key: 'a\u0000' }, '/idempotency_key'],
  [
    'key with a lone surrogate',
    { transaction_id: undefined, idempotency_key: '\ud800' },
    '/idempotency_key',
  ],
  ['key as a list', { transaction_id: undefined, idempotency_key: ['k'] }, '/idempotency_key'],
  [
    'key __proto__',
    { transaction_id: undefined, idempotency_key: '__proto__' },
    '/idempotency_key',
  ],
  ['label missing', { label: undefined }, '/label'],
  ['label unknown', { label: 'maybe' }, '/label'],
  ['label in upper case', { label: 'FRAUD' }, '/label'],
  ['label as a number', { label: 1 }, '/label'],
  ['label as a truth', { label: true }, '/label'],
  ['label constructor', { label: 'constructor' }, '/label'],
  ['source missing', { source: undefined }, '/source'],
  ['source empty', { source: '' }, '/source'],
  ['source too long', { source: 'x'.repeat(65) }, '/source'],
  ['source with NUL', { source: 'a\u0000b' }, '/source'],
  ['source with a newline', { source: 'a\nb' }, '/source'],
  ['source with a lone surrogate', { source: 'a\ud800' }, '/source'],
  ['source as an object', { source: {} }, '/source'],
  ['note empty', { note: '' }, '/note'],
  ['note too long', { note: '😀'.repeat(501) }, '/note'],
  ['note with a newline', { note: 'a\nb' }, '/note'],
  ['note as null', { note: null }, '/note'],
  ['note as an object', { note: { a: 1 } }, '/note'],
  ['time missing', { labelled_at: undefined }, '/labelled_at'],
  ['time without zone', { labelled_at: '2026-10-09T09:30:00.000' }, '/labelled_at'],
  ['time without time', { labelled_at: '2026-10-09' }, '/labelled_at'],
  ['time in words', { labelled_at: 'Fri, 09 Oct 2026 09:30:00 GMT' }, '/labelled_at'],
  ['time of year 0000', { labelled_at: '0000-01-01T00:00:00Z' }, '/labelled_at'],
  ['time of year 9999', { labelled_at: '9999-12-31T23:59:59Z' }, '/labelled_at'],
  ['time of year 294277', { labelled_at: '+294277-01-01T00:00:00Z' }, '/labelled_at'],
  ['30 February', { labelled_at: '2026-02-30T00:00:00Z' }, '/labelled_at'],
  ['hour 24', { labelled_at: '2026-10-09T24:00:00Z' }, '/labelled_at'],
  ['leap second', { labelled_at: '2026-10-09T23:59:60Z' }, '/labelled_at'],
  ['zone of 99 hours', { labelled_at: '2026-10-09T00:00:00+99:00' }, '/labelled_at'],
  ['time as a number', { labelled_at: 1763631000000 }, '/labelled_at'],
  ['unknown field', { score: 1 }, '/score'],
  ['unknown field with a slash', { 'a/b~c': 1 }, '/a~1b~0c'],
];

describe('a label', () => {
  test.each(BAD_FIELDS)('%s is 422 at its field', async (_name, fields, pointer) => {
    const body = JSON.stringify({ labels: [label(), label(fields)] });
    const answer = await expectProblem(await raw(body), 422);
    expect(answer.body.errors.map((error: { pointer: string }) => error.pointer)).toEqual([
      `/labels/1${pointer}`,
    ]);
    expect(await count(api, 'labels')).toBe(0);
  });

  test.each([
    ['__proto__ as a field', '"__proto__":{"label":"fraud"}', '/labels/0/__proto__'],
    ['constructor as a field', '"constructor":{"prototype":{}}', '/labels/0/constructor'],
  ])('%s is 422', async (_name, member, pointer) => {
    const text = JSON.stringify(label()).replace(/}$/, `,${member}}`);
    const { body } = await expectProblem(await raw(`{"labels":[${text}]}`), 422);
    expect(body.errors[0].pointer).toBe(pointer);
    expect(await count(api, 'labels')).toBe(0);
  });
});

describe('a body', () => {
  test.each([
    ['nothing', ''],
    ['half an object', '{"labels":'],
    ['two values', '{}{}'],
    ['invalid UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
  ])('of %s is 400', async (_name, body) => {
    await expectProblem(await raw(body), 400);
  });

  test.each([
    ['null', 'null', ''],
    ['a list', '[]', ''],
    ['no list', '{"labels":{}}', '/labels'],
    ['no label', '{"labels":[]}', '/labels'],
    ['a label that is null', '{"labels":[null]}', '/labels/0'],
    ['an unknown field', '{"labels":[],"dry_run":true}', '/labels'],
    ['a hundred thousand items', `{"labels":[${Array(100_000).fill(0)}]}`, '/labels'],
    ['lists in each other', `{"labels":[${'['.repeat(1e4)}${']'.repeat(1e4)}]}`, '/labels/0'],
  ])('of %s is 422', async (_name, body, pointer) => {
    const answer = await expectProblem(await raw(body), 422);
    expect(answer.body.errors[0].pointer).toBe(pointer);
  });

  test('of 1,001 labels is 422, of a thousand it is taken', async () => {
    const labels = Array.from({ length: 1001 }, (_, n) => label({ source: `source ${n}` }));
    const { body } = await expectProblem(await raw(JSON.stringify({ labels })), 422);
    expect(body.errors[0].pointer).toBe('/labels');
    expect((await postLabels(api, labels.slice(1))).body).toMatchObject({ accepted: 1000 });
    await api.testDatabase.sql('truncate labels');
  });

  test('that is not JSON by its type is 415', async () => {
    const headers = { 'Content-Type': 'text/csv' };
    await expectProblem(await postJson(api, 'a,b', '/v1/labels', headers), 415);
  });

  test('with all kinds of characters in its source comes back as it was sent', async () => {
    const source = "\u202e😀é e\u0301 '; drop table labels; --".padEnd(60, 'x');
    expect((await postLabels(api, [label({ source })])).status).toBe(200);
    expect(await api.testDatabase.sql('select source from labels')).toEqual([{ source }]);
    await api.testDatabase.sql('truncate labels');
  });

  test('whose every label is wrong has its first hundred errors, and the number of the others', async () => {
    const labels = Array.from({ length: 1000 }, (_, n) =>
      label({ transaction_id: idAt(CREATED_MS, n + 2) }),
    );
    const { body } = await expectProblem(await raw(JSON.stringify({ labels })), 422);
    expect(body.errors).toHaveLength(100);
    expect(body.errors[99].pointer).toBe('/labels/99/transaction_id');
    expect(body.detail).toMatch(/ 900 more errors are not listed\.$/);
  });
});
