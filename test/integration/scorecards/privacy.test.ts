/**
 * Goal: a table has no value of a personal field and none of fewer than 30 payments or 10 accounts, a kept row says nothing of people, and
 * what a night has counted ends. Method: made payments of texts that look like trouble, at both sides of each bound.
 */
import { expect, test } from 'vitest';
import { buildTable } from '../../../src/core/repair/night/build-table.ts';
import { decodeCounts } from '../../../src/core/score/scorecard/day-counts.ts';
import { detachMonth } from '../../../src/core/store/partitions/detach-months.ts';
import { monthOf } from '../../../src/kit/words/month.ts';
import { DAY_MS } from '../../../src/kit/words/range.ts';
import { openTestDatabase } from '../../support/database.ts';
import { declareFields, makeDay, nightOf, storeLabelled } from '../../support/made-days.ts';

/** The first of a month. */
const DAY = Date.UTC(2026, 4, 1) / DAY_MS;
const NAMED = [
  'common',
  '',
  '__proto__',
  'constructor',
  '12',
  '\u00e9',
  '🦊',
  ' common',
  'x'.repeat(64),
];
const SECRET = 'a personal value';
/** Values, with their payments and accounts; the second é is written with two characters. */
const GROUPS: readonly (readonly [value: unknown, payments: number, accounts: number])[] = [
  ...NAMED.filter((value) => value !== '\u00e9').map((value) => [value, 30, 10] as const),
  ...[['\u00e9', 15, 5] as const, ['e\u0301', 15, 10] as const],
  ...[['Common', 29, 20] as const, ['of nine accounts', 90, 9] as const],
  ...[['y'.repeat(500), 90, 90] as const, [12, 90, 90] as const, [['12'], 90, 90] as const],
];

const { testDatabase, database } = await openTestDatabase();
const { sql } = testDatabase;
await sql(declareFields({ word: 'text', is_new: 'boolean', secret: 'text', of: 'text' }));
await sql(
  `insert into scorecard_groups (field, reason, named_by) values ('metadata.word', 'r', 'Cy')`,
);
await sql(`insert into personal_fields (field, declared_by) values
  ('metadata.secret', 'Cy'), ('metadata.of.people', 'Cy'), ('metadata.isanew.name', 'Cy')`);

let nth = 0;
const made = GROUPS.flatMap(([word, payments, accounts]) =>
  makeDay(DAY, payments, `group ${++nth}`).map((payment, of) => ({
    ...payment,
    accountId: `acc_${nth === 11 ? 5 + (of % 5) : of % accounts}`,
    metadata: { ...payment.metadata, word, secret: SECRET, of: SECRET },
  })),
);
await storeLabelled(database, made);

const build = (day: number) => buildTable(database, nightOf(day));
const { night } = await build(DAY + 10);
const { lifts, cells, learnt } = night.table;

test('a table names texts of at least 30 payments of 10 accounts, as they are written in NFC', () => {
  expect(learnt.knownFrauds).toBeGreaterThan(0);
  expect([...(lifts.get('metadata.word')?.byValue.keys() ?? [])].sort()).toEqual(NAMED.toSorted());
  for (const cell of cells.byValue.keys())
    expect(NAMED).toContain(cell.slice(cell.indexOf(' ') + 1));
});

test('a personal field, and a field with a personal member, are in no table and in no count', async () => {
  expect([...lifts.keys()]).toEqual(['type', 'channel', 'metadata.is_new', 'metadata.word']);
  const [counted] = await sql<{ counts: Buffer; sample: Buffer }>(
    'select counts, sample from scorecard_days',
  );
  expect([...decodeCounts(counted?.counts ?? Buffer.alloc(0)).fields.keys()]).not.toContain(
    'metadata.secret',
  );
  for (const bytes of [Buffer.from(night.bytes), counted?.counts, counted?.sample]) {
    for (const text of [SECRET, 'y'.repeat(65), 'device_1', 'acc_1'])
      expect(bytes?.includes(text)).toBe(false);
  }
  for (const text of ['Common', 'of nine accounts'])
    expect(Buffer.from(night.bytes).includes(text)).toBe(false);
});

test('a kept row has an id, buckets, numbers and codes of rules', async () => {
  const [row, ...others] = await sql('select * from scorecard_rows where fired <> $1', [[]]);
  expect(others.length).toBeGreaterThan(0);
  expect(Object.keys(row ?? {}).sort()).toEqual([
    ...['buckets', 'created_at', 'fired', 'label_log_odds', 'log_odds', 'scorecard', 'share'],
    'transaction_id',
  ]);
  for (const { fired } of [row, ...others] as { fired: string[] }[]) {
    for (const code of fired) expect(learnt.rules.has(code)).toBe(true);
  }
});

test('texts of a day end after 90 days, its rows after 180, and both with their month', async () => {
  const left = async () => {
    const [rows] =
      await sql(`select (select count(*)::int from scorecard_rows) as rows, (select count(*)::int from scorecard_days) as days,
      (select coalesce(sum(octet_length(counts)), 0)::int from scorecard_days) as bytes`);
    return rows;
  };
  await sql('alter table scorecards disable trigger user');
  // A table that was built long after its day is of an old past that is played, whose days stay meanwhile.
  const buildLive = async (day: number) => {
    await sql('update scorecards set built_at = day');
    await build(day);
  };
  const before = await left();
  await buildLive(DAY + 90);
  expect(await left()).toEqual(before);
  await buildLive(DAY + 91);
  expect(await left()).toEqual({ ...before, bytes: 0 });
  await buildLive(DAY + 180);
  expect(await left()).toEqual({ ...before, bytes: 0 });
  await buildLive(DAY + 181);
  expect(await left()).toEqual({ rows: 0, days: 0, bytes: 0 });
  await buildLive(DAY + 20);
  expect(await left()).toEqual(before);
  await detachMonth(database, monthOf(DAY * DAY_MS));
  await buildLive(DAY + 40);
  expect(await left()).toEqual({ rows: 0, days: 0, bytes: 0 });
});
