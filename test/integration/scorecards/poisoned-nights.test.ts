/**
 * Goal: labels of a day that a client inverts, and a wave of frauds in a corridor, change no more verdicts than a policy allows unless two
 * people say so, and one call takes either out. Method: made days under a policy, and nights that are made and not stored.
 */
import { expect, test } from 'vitest';
import { buildTable, makeNight } from '../../../src/core/repair/night/build-table.ts';
import { DAY_MS } from '../../../src/kit/words/range.ts';
import { insertControl } from '../../support/controls.ts';
import { openTestDatabase } from '../../support/database.ts';
import {
  makeDay,
  nightOf,
  storeKnown,
  storeLabelled,
  storeScored,
} from '../../support/made-days.ts';

const [FIRST, DAYS, A_DAY] = [20_600, 44, 60];
const LAST = FIRST + DAYS;
const BOUND = 0.03;
const { testDatabase, database } = await openTestDatabase();
const { sql } = testDatabase;

const days = Array.from({ length: DAYS }, (_, nth) => makeDay(FIRST + nth, A_DAY));
await storeLabelled(database, days.flat());
const policy = { measures_left_out: [], review_share: 0.1, decline_share: 0.05, bound: BOUND };
await sql(insertControl('scorecard', 'model:scorecard-policy@1', { policy }));
await buildTable(database, nightOf(LAST - 1));

const shocks = {
  'labels of a day that a client inverts': {
    store: async () => {
      const inverted = days[DAYS - 9]?.map((of) => ({ ...of, isFraud: !of.isFraud })) ?? [];
      await storeKnown(database, inverted, 4, 'poisoner');
    },
    out: insertControl('unlearnt', 'client:poisoner', { received_days: 30 }),
  },
  'a wave of frauds in a corridor': {
    store: async () => {
      const wave = [9, 10, 11].flatMap((ago) => makeDay(LAST - ago, A_DAY, `wave ${ago}`));
      const frauds = wave.map((of) => ({ ...of, isFraud: true, corridor: 'US-MX' }));
      await storeScored(database, frauds);
      await storeKnown(database, frauds, 4);
    },
    out: insertControl('freeze', 'corridor:US-MX'),
  },
};

test.each(Object.entries(shocks))('%s waits, and one call takes it out', async (_, shock) => {
  const make = () => makeNight(database, nightOf(LAST));
  expect((await make()).isTaken).toBe(true);
  await shock.store();
  const night = await make();
  expect(night.differs).toBeGreaterThan(BOUND);
  expect(night.isTaken).toBe(false);
  await sql(shock.out);
  await sql(`update controls set set_at = to_timestamp($1) where kind = 'unlearnt'`, [
    (LAST * DAY_MS) / 1000,
  ]);
  const after = await make();
  expect(after.differs).toBeLessThanOrEqual(BOUND);
  expect(after.isTaken).toBe(true);
});
