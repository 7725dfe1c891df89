/**
 * Goal: an answer reads a bounded number of increments and says until when it is complete. Method: increments as statements
 * leave them, then the engine's own reading.
 */
import { expect, test } from 'vitest';
import {
  mergeIncrements,
  readTotals,
  type SumQuestion,
  sumDays,
} from '../../src/core/store/tallies/day-tallies.ts';
import { createTestDatabase } from '../support/database.ts';

const DAY_MS = Date.UTC(2026, 4, 31);

test('an answer reads so many increments and says until when it is complete', async () => {
  await using testDatabase = await createTestDatabase();
  await using database = testDatabase.open();
  const { sql } = testDatabase;
  const add = `insert into daily_increments
               select '2026-05-31', 'US-EG', case n % 2 when 0 then 'EUR' else 'USD' end, 'accepted', null, null, 1, 1, 0
                 from generate_series(1, $1::int) n`;
  await sql(add, [20]);
  await mergeIncrements(database);
  await sql(add, [9]);
  const [{ emptied_at } = { emptied_at: null }] = await sql<{ emptied_at: Date }>(
    'select emptied_at from tally_merge',
  );
  const total = (count: number) => ({ corridor: 'US-EG', outcome: 'accepted', count });
  expect(await readTotals(database, 9)).toMatchObject({ countedTo: null, totals: [total(29)] });
  // An increment more than the bound is read, which tells that there are more.
  expect(await readTotals(database, 4)).toMatchObject({
    countedTo: emptied_at,
    totals: [total(25)],
  });
  const question: SumQuestion = {
    ...{ firstMs: DAY_MS, lastMs: DAY_MS, outcomes: ['accepted'], own: ['accepted'] },
    by: { corridor: false, outcome: false, ruleSet: false, model: false },
    only: { corridor: undefined, currency: undefined, ruleSet: undefined, model: undefined },
  };
  expect((await sumDays(database, question, 10, 9)).countedTo).toBeNull();
  expect((await sumDays(database, question, 10, 8)).countedTo).toEqual(emptied_at);
  expect((await sumDays(database, question, 1)).sums).toHaveLength(2);
});
