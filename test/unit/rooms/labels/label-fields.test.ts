/** Goal: a foreign file of labels becomes exactly what the API takes; the API judges the rest. */
import { expect, test } from 'vitest';
import { type LabelField, labelProjection } from '../../../../src/core/domain/file-rows.ts';
import type { Mapping } from '../../../../src/kit/client/rows.ts';

const DAY_MS = 86_400_000;
const ID = '019a9f5b-3c00-7abc-8def-0123456789ab';

type Given = Partial<Mapping<LabelField>> & { readonly labelledAfterMs?: number };

const projection = ({ columns = {}, constants = {}, labelledAfterMs }: Given = {}) =>
  labelProjection({ columns, constants }, labelledAfterMs ?? null);

/** The body of one record of a file whose header is the names. */
const csv = (given: Given, record: Record<string, string>) =>
  Object(projection(given).csv(Object.keys(record))(Object.values(record)));

/** As the published data is imported. */
const PUBLISHED: Given = {
  columns: { idempotency_key: 'transaction_id', label: 'is_fraud' },
  constants: { source: 'book' },
  labelledAfterMs: 7 * DAY_MS,
};

test.each([
  ['1', 'fraud'],
  ['0', 'legitimate'],
  ['2', '2'],
  ['fraud', 'fraud'],
  [1, 'fraud'],
  [0, 'legitimate'],
  [true, 'fraud'],
  [false, 'legitimate'],
  ['True', 'fraud'],
  ['False', 'legitimate'],
  ['TRUE', 'fraud'],
  ['1.0', 'fraud'],
  ['0.0', 'legitimate'],
  ['t', 'fraud'],
  [' f ', 'legitimate'],
  ['FRAUD', 'fraud'],
  ['Legitimate', 'legitimate'],
  ['WAHR', 'WAHR'],
  ['10', '10'],
  [null, undefined],
])('labelProjection makes %o of a flag %o', (is_fraud, label) => {
  const record = { transaction_id: '7', created_at: '2018-04-01T00:00:31Z', amount: '1.00' };
  const body = {
    ...{ idempotency_key: '7', label, labelled_at: '2018-04-08T00:00:31.000Z', source: 'book' },
  };
  const source = { ...record, is_fraud };
  expect(projection(PUBLISHED).json(source, JSON.stringify(source))).toEqual(body);
  if (typeof is_fraud === 'string') {
    expect(csv(PUBLISHED, { ...record, is_fraud })).toEqual(body);
  }
});

test('labelProjection prefers the id to a key beside it, unless the key is mapped', () => {
  const record = { transaction_id: ID, ref: 'r', label: '1', labelled_at: 'x', source: 's' };
  const both = { ...record, idempotency_key: 'k' };
  expect(csv({}, both)).toMatchObject({ transaction_id: ID });
  expect(csv({}, both)).not.toHaveProperty('idempotency_key');
  expect(csv({}, { ...both, transaction_id: '' })).toMatchObject({ idempotency_key: 'k' });
  const mapped = csv({ columns: { idempotency_key: 'ref' } }, record);
  expect(mapped).toMatchObject({ idempotency_key: 'r' });
  expect(mapped).not.toHaveProperty('transaction_id');
});

test('labelProjection reads no field from a column without a name, as data frames write their row numbers', () => {
  const record = { '': '0', ref: 'r', label: 'True', labelled_at: 'x', source: 's' };
  const body = csv({ columns: { idempotency_key: 'ref' } }, record);
  expect(body).toEqual({
    ...{ idempotency_key: 'r', label: 'fraud' },
    labelled_at: 'x',
    source: 's',
  });
});

test('labelProjection counts a delay from the time in the id where there is no column', () => {
  const record = { transaction_id: ID, label: '0', source: 's' };
  const createdAtMs = Number.parseInt(ID.slice(0, 8) + ID.slice(9, 13), 16);
  expect(csv({ labelledAfterMs: 1000 }, record)['labelled_at']).toBe(
    new Date(createdAtMs + 1000).toISOString(),
  );
});
