/**
 * Goal: whatever a market looks like, a night makes a table that judges each vector by a finite margin. Method: made days, each market in
 * years of its own, and the weights that nights give them.
 */
import { expect, test } from 'vitest';
import { FEATURE_COUNT } from '../../../src/core/domain/feature-schema.ts';
import { makeNight } from '../../../src/core/repair/night/build-table.ts';
import { marginBy } from '../../../src/core/score/scorecard/judge-by-table.ts';
import { KNOWN_FRAUDS_MIN } from '../../../src/core/score/scorecard/scorecard.ts';
import { decodeTable } from '../../../src/core/score/scorecard/table-bytes.ts';
import { DAY_MS } from '../../../src/kit/words/range.ts';
import { openTestDatabase } from '../../support/database.ts';
import {
  declareFields,
  type MadePayment,
  makeDay,
  nightOf,
  storeKnown,
  storeLabelled,
  storeScored,
} from '../../support/made-days.ts';
import { idAt } from '../../support/stored-rows.ts';

const MATURITY_DAYS = 7;
const { testDatabase, database } = await openTestDatabase();
const { sql } = testDatabase;
await sql(declareFields({ distance: 'number' }));

const make = (day: number) => makeNight(database, nightOf(day));

const NUMBERS = ['Infinity', '-Infinity', 'NaN', '-0', '0', '1e308', '-1e308', '5e-324'].map(
  Number,
);
const VECTORS = [...NUMBERS.map((value) => [value]), NUMBERS].map((values) =>
  Float64Array.from({ length: FEATURE_COUNT }, (_, at) => values[at % values.length] ?? 0),
);

/** The table of the first day on which all payments are matured. */
async function tableOf(payments: readonly MadePayment[], day: number) {
  if (payments.length > 0) await storeLabelled(database, payments);
  const night = await make(day + MATURITY_DAYS + 2);
  expect(decodeTable(night.bytes)).toEqual(night.table);
  const { constant, slope, labelSlope, points } = night.table.scorecard;
  expect([constant, slope, labelSlope, ...points].every(Number.isFinite)).toBe(true);
  const stored = { serial: 1, sha256: '', table: night.table };
  for (const vector of [...VECTORS, ...payments.slice(0, 20).map((payment) => payment.vector)]) {
    expect(Number.isFinite(marginBy(stored, vector))).toBe(true);
  }
  return night.table;
}

const as = (payments: readonly MadePayment[], isFraud: (nth: number) => boolean) =>
  payments.map((payment, nth) => ({ ...payment, isFraud: isFraud(nth) }));

const YEAR_2000 = Date.UTC(2000, 0, 1) / DAY_MS;

test('a market without payments, and one with a single payment on 2000-01-01 at 00:00:00.000', async () => {
  const empty = await tableOf([], YEAR_2000 - 400);
  expect(empty.learnt).toMatchObject({ knownFrauds: 0, all: { payments: 0, frauds: 0 } });
  const createdAtMs = YEAR_2000 * DAY_MS;
  const single = as(makeDay(YEAR_2000, 1), () => true).map((payment) => ({
    ...payment,
    ...{ id: idAt(createdAtMs), createdAtMs },
  }));
  const table = await tableOf(single, YEAR_2000);
  expect(table.learnt).toMatchObject({ knownFrauds: 1, all: { payments: 1, frauds: 1 } });
  expect(table.scorecard).toMatchObject({ constant: 0, slope: 1, labelSlope: 1 });
});

test.each([49, 50, 51])('of %i known frauds weights are learnt from 50 on', async (frauds) => {
  const day = 12_000 + 400 * frauds;
  const payments = as(makeDay(day, 400), (nth) => nth < frauds);
  const { learnt, scorecard } = await tableOf(payments, day);
  expect(learnt.knownFrauds).toBe(frauds);
  expect(scorecard.slope !== 1).toBe(frauds >= KNOWN_FRAUDS_MIN);
});

test('a market of frauds alone, and a market where each measure has a single value', async () => {
  const frauds = await tableOf(
    as(makeDay(14_000, 320), () => true),
    14_000,
  );
  expect(frauds.learnt.all.frauds).toBe(frauds.learnt.all.payments);
  const same = as(makeDay(16_000, 400), (nth) => nth % 5 === 0).map((payment) => ({
    ...payment,
    vector: new Float64Array(FEATURE_COUNT).fill(7),
  }));
  const { knownFrauds } = (await tableOf(same, 16_000)).learnt;
  expect(knownFrauds).toBe(80);
});

test('numbers at the ends of doubles, in declared fields and in vectors', async () => {
  const made = as(makeDay(18_000, 400), (nth) => nth % 5 === 0).map((payment, nth) => ({
    ...payment,
    vector: VECTORS[nth % VECTORS.length] ?? payment.vector,
    metadata: { ...payment.metadata, distance: [1e308, -1e308, -0, 5e-324][nth % 4] ?? 0 },
  }));
  const tail = (await tableOf(made, 18_000)).tails.get('metadata.distance');
  expect([tail?.numbers, tail?.above[0], tail?.above[1], tail?.above[1023]]).toEqual([
    400, 400, 100, 100,
  ]);
});

test('a fraud that is taken back at 00:00:00.000 of the day is none, and a millisecond later it is one still', async () => {
  const day = 20_000;
  const made = as(makeDay(day, 100), (nth) => nth < 2);
  const night = day + MATURITY_DAYS + 2;
  await storeScored(database, made);
  for (const [nth, payment] of made.slice(0, 2).entries()) {
    const takenBackMs = night * DAY_MS + nth;
    const delayDays = (takenBackMs - payment.createdAtMs) / DAY_MS;
    await storeKnown(database, [{ ...payment, isFraud: false }], delayDays);
  }
  await storeKnown(database, made, 3);
  expect((await make(night)).table.learnt.knownFrauds).toBe(1);
});

test('a group whose field is withdrawn, or declared again with another type, counts as type', async () => {
  const groupOf = async () => (await make(20_010)).table.group;
  await sql(declareFields({ kind: 'text' }));
  await sql(
    `insert into scorecard_groups (field, reason, named_by) values ('metadata.kind', 'r', 'Cy')`,
  );
  expect(await groupOf()).toBe('metadata.kind');
  await sql(`delete from metadata_fields where name = 'kind'`);
  expect(await groupOf()).toBe('type');
  await sql(declareFields({ kind: 'number' }));
  const { table } = await make(20_010);
  expect(table.group).toBe('type');
  expect(table.slots.filter(({ field }) => field === 'kind')).toEqual([
    { field: 'kind', kind: 'lift' },
    { field: 'kind', kind: 'tail' },
    { field: 'kind', kind: 'to_account' },
  ]);
});
