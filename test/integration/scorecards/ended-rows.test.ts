/**
 * Goal: counts and rows of a live market end after 180 days, and a night beside an old past that is played takes nothing from the past
 * but what ends with its month. Method: both in one market, whose nights are dated by hand.
 */
import { expect, test } from 'vitest';
import { buildTable } from '../../../src/core/repair/night/build-table.ts';
import { DAY_MS } from '../../../src/kit/words/range.ts';
import { openTestDatabase } from '../../support/database.ts';
import { makeDay, nightOf, storeScored } from '../../support/made-days.ts';

const TODAY = Math.floor(Date.now() / DAY_MS);
const [PLAYED, ENDED, NEWEST] = [TODAY - 400, TODAY - 181, TODAY - 1];
const { testDatabase, database } = await openTestDatabase();

for (const day of [PLAYED, PLAYED + 1, ENDED, NEWEST])
  await storeScored(database, makeDay(day, 20));

const build = (day: number) => buildTable(database, nightOf(day));

/** Days that have counts, and days that have rows. */
async function left() {
  const [counts, rows] = await Promise.all(
    ['day', "(created_at at time zone 'UTC')::date"].map((day, nth) =>
      testDatabase.sql<{ day: number }>(
        `select distinct ${day} - date '1970-01-01' as day from ${nth === 0 ? 'scorecard_days' : 'scorecard_rows'} order by 1`,
      ),
    ),
  );
  expect(counts).toEqual(rows);
  return counts?.map(({ day }) => day);
}

/** @param at SQL of a time */
async function dateTable(day: number, at: string): Promise<void> {
  await testDatabase.sql('alter table scorecards disable trigger user');
  await testDatabase.sql(
    `update scorecards set built_at = ${at} where day = date '1970-01-01' + $1::int4`,
    [day],
  );
}

test('days of a live market end after 180 days, those of an old past stay while it is played', async () => {
  // A live market, whose night has failed until the evening.
  await build(NEWEST);
  await dateTable(NEWEST, `day + time '23:59'`);
  await build(PLAYED + 2);
  expect(await left()).toEqual([PLAYED, PLAYED + 1, ENDED]);
  await build(TODAY);
  expect(await left()).toEqual([PLAYED, PLAYED + 1, NEWEST]);
});

test('a day of an old past ends with its month, and all of them a day after the last table', async () => {
  await testDatabase.sql(`delete from daily_increments where day = date '1970-01-01' + $1::int4`, [
    PLAYED,
  ]);
  await build(TODAY + 1);
  expect(await left()).toEqual([PLAYED + 1, NEWEST]);
  await dateTable(PLAYED + 2, `now() - interval '25 hours'`);
  await build(TODAY + 2);
  expect(await left()).toEqual([NEWEST]);
});
