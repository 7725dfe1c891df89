/**
 * Goal: a transaction is compared with its market by the table of its day alone, and with nothing that the table lacks. Method: a table by
 * hand. Lifts, cells and tails of plain values are compared with the definition by test/property/profile/history.test.ts.
 */
import { expect, test } from 'vitest';
import { vectorOf } from '../../../../src/core/domain/feature-rows.ts';
import { FEATURE_COUNT } from '../../../../src/core/domain/feature-schema.ts';
import type { FieldSlot } from '../../../../src/core/domain/metadata.ts';
import type { Transaction } from '../../../../src/core/domain/transaction.ts';
import { beginDayRows, relift } from '../../../../src/core/profile/day-features.ts';
import type { DayTable, Tail } from '../../../../src/core/score/scorecard/day-table.ts';
import { deliver } from '../../../support/delivered.ts';
import { named } from '../../../support/fold-one.ts';
import { MARKET_TABLE, SLOTS } from '../../../support/market-table.ts';

const declared = (fields: object) => JSON.stringify(fields);

/** Features of a payment of 1,000 dollars, by name. */
function given(
  more: Partial<Transaction>,
  table: DayTable | null = MARKET_TABLE,
  slots: readonly FieldSlot[] = SLOTS,
): Readonly<Record<string, number>> {
  const transactionId = '01a212d8-e6cb-777a-b32e-4b8864f80685';
  const transactions = deliver([
    { transactionId, createdAtMs: Date.UTC(2026, 0), amount: '1000.00', ...more },
  ]);
  const parts = { tables: [table], slots };
  return named(vectorOf(beginDayRows(transactions, parts).rows, 0), slots);
}

test.each<[string, Partial<Transaction>, number]>([
  ['in the currency of the market', {}, 0.5],
  ['a cent', { amount: '0.01' }, 0.01 / 2000],
  ['by the rate of the day', { amount: '128000', currency: 'JPY' }, 0.5],
  ['of another corridor', { corridor: 'US-MX' }, 2],
  ['no rate', { currency: 'KWD' }, Number.NaN],
  ['no percentile', { corridor: 'US-PH' }, Number.NaN],
])('an amount by the percentile of its corridor: %s', (_, more, ratio) => {
  expect(given(more)['amount_to_corridor']).toBe(ratio);
  expect(given(more, null)['amount_to_corridor']).toBeNaN();
});

test('dollars compare where the market has another currency', () => {
  const table = { ...MARKET_TABLE, currency: 'JPY' };
  expect(given({}, table)['amount_to_corridor']).toBe(64);
  expect(given({}, { ...table, currency: 'KWD' })['amount_to_corridor']).toBeNaN();
  expect(given({}, { ...table, currency: null })['amount_to_corridor']).toBeNaN();
});

test('the market groups by type until it names a field', () => {
  const table = { ...MARKET_TABLE, group: 'type' };
  expect(given({ type: 'gold' }, table)['cell_amount_lift']).toBe(3);
});

test('the greatest tail is of the rarest number, whatever its slot', () => {
  const size: FieldSlot = { field: 'size', type: 'number', kind: 'tail' };
  const slots = [size, ...SLOTS];
  const sized = { ...MARKET_TABLE, slots };
  const greatest = (fields: object, table: DayTable | null = sized) => {
    const of = given({ declared: declared(fields) }, table, slots);
    return [of['number_tail_max'], of['size_tail'], of['distance_tail']];
  };
  const [max, none, distance] = greatest({ size: 3, distance: 9 });
  expect([max, none]).toEqual([distance, Number.NaN]);
  const counted = MARKET_TABLE.tails.get('metadata.distance') as Tail;
  const both = { ...sized, tails: new Map(MARKET_TABLE.tails).set('metadata.size', counted) };
  const [first, bySize] = greatest({ size: 1000, distance: 9 }, both);
  expect([first, greatest({ size: 0, distance: 9 }, both)[0]]).toEqual([bySize, distance]);
  expect(greatest({ size: 1000 }, null)[0]).toBeNaN();
});

test('a slot is of one field with one type, and younger than a table it is missing', () => {
  const slots: readonly FieldSlot[] = [
    ...SLOTS,
    { field: 'segment', type: 'number', kind: 'tail' },
  ];
  const [text, number] = ['gold', 7].map((segment) =>
    given({ declared: declared({ segment }) }, MARKET_TABLE, slots),
  );
  expect([text?.['segment_lift'], text?.['segment_tail']]).toEqual([2.5, Number.NaN]);
  expect([number?.['segment_lift'], number?.['segment_tail']]).toEqual([Number.NaN, Number.NaN]);
  const younger = { ...MARKET_TABLE, slots: SLOTS.slice(0, 3) };
  expect(given({ declared: declared({ known: true }) }, younger)['known_lift']).toBeNaN();
});

test('a vector is made anew as the other table would have made it, whatever the first table said', () => {
  const swapped = {
    ...MARKET_TABLE,
    group: 'type',
    slots: SLOTS.slice(0, 2),
    lifts: new Map(MARKET_TABLE.lifts).set('type', { byValue: new Map(), others: 9 }),
    amounts: { ...MARKET_TABLE.amounts, percentiles: new Map() },
  };
  const tables = [MARKET_TABLE, swapped, { ...swapped, currency: null }];
  const given = [
    { type: 'transfer', declared: declared({ segment: 'gold', distance: 9, known: true }) },
    { channel: 'app', currency: 'KWD', declared: null },
    { type: 'gold', declared: declared({ segment: 7, distance: 'x' }) },
  ];
  const transactionId = '01a212d8-e6cb-777a-b32e-4b8864f80685';
  const createdAtMs = Date.UTC(2026, 0);
  const common = { transactionId, createdAtMs, amount: '50.00' };
  for (const transaction of deliver(given.map((of) => ({ ...common, ...of })))) {
    const vectors = tables.map((table) =>
      vectorOf(beginDayRows([transaction], { tables: [table], slots: SLOTS }).rows, 0),
    );
    for (const vector of vectors) {
      for (const [nth, table] of tables.entries()) {
        expect(relift(vector, transaction, table, SLOTS)).toEqual(vectors[nth]);
      }
    }
    // A vector that is older than a slot has it missing.
    const older = vectors[0]?.slice(0, -SLOTS.length) ?? new Float64Array();
    expect(relift(older, transaction, MARKET_TABLE, SLOTS)).toEqual(vectors[0]);
  }
});

test('what an account gave a vector stays', () => {
  const transactionId = '01a212d8-e6cb-777a-b32e-4b8864f80685';
  const [transaction] = deliver([{ transactionId, createdAtMs: Date.UTC(2026, 0) }]);
  const vector = Float64Array.from({ length: FEATURE_COUNT + SLOTS.length }, (_, at) => at);
  const made = relift(vector, transaction as Transaction, MARKET_TABLE, SLOTS);
  const changed = [...made.keys()].filter((at) => !Object.is(made[at], vector[at]));
  expect(changed).toHaveLength(8);
  expect(made[FEATURE_COUNT + 2]).toBe(FEATURE_COUNT + 2);
});
