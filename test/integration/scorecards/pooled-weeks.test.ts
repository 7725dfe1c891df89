/**
 * Goal: a policy that catches fewer frauds than the rules ends by itself after the night that says so, and no other policy does; trees
 * that catch fewer than the scorecard are taken back. Method: tables with weeks by hand, and a night over days that a policy has decided.
 */
import { expect, test } from 'vitest';
import { buildTable } from '../../../src/core/repair/night/build-table.ts';
import { bindTrainings, END_WORSE } from '../../../src/core/repair/trainings.ts';
import { insertTable } from '../../../src/core/store/scorecards/scorecards.ts';
import { DAY_MS, HOUR_MS } from '../../../src/kit/words/range.ts';
import { testConfig } from '../../support/config.ts';
import { insertControl } from '../../support/controls.ts';
import { openTestDatabase } from '../../support/database.ts';
import { dayTable, newTable } from '../../support/day-tables.ts';
import { makeDay, nightOf, storeKnown, storeScored } from '../../support/made-days.ts';
import { openForFile } from '../../support/open-for-file.ts';
import { putInForce, rollOutTrees } from '../../support/policies.ts';
import { startRollOut } from '../../support/rolled-out.ts';

const { testDatabase, database } = await openTestDatabase();
const { sql } = testDatabase;
const [POLICY, TREES] = ['scorecard-policy@1', 'scorecard-trees@2026-11-30'];

type Told = { readonly frauds?: number; readonly caught?: number };

let day = 20_700;
const rollOut = await openForFile(startRollOut(testDatabase));
const nowMs = () => day * DAY_MS + 2 * HOUR_MS;
const [duty] = bindTrainings([END_WORSE], { config: testConfig({}), database }, nowMs);
const look = () => duty?.run(new AbortController().signal);
/** Stores a table whose three weeks say so of a policy; the first week is no longer among the newest two. */
async function tell(policy: string, first: Told = {}, second = first) {
  day++;
  const weeks = [{ frauds: 900, caught: 900 }, first, second].map((told, nth) => {
    const { frauds = 60, caught = 30 } = told;
    const figures = {
      ...{ payments: 9000, frauds, alerts: 90, byRisk: 31 },
      decided: { averagePrecision: 0.5, caught },
      scorecard: { averagePrecision: 0.5, caught: 90 },
    };
    return { day: day - 21 + 7 * nth, ...figures, policies: new Map([[policy, figures]]) };
  });
  await insertTable(database.query, newTable(dayTable({ day, weeks })));
  await look();
}
await sql(insertControl('scorecard', `model:${POLICY}`));
const inForce = async () =>
  (await sql(`select from controls where kind = 'scorecard' and ends_at is null`)).length;

test.each<[string, ...Parameters<typeof tell>]>([
  ['that catches as many as the rules', POLICY, { caught: 31 }],
  ['of 99 frauds', POLICY, { frauds: 50 }, { frauds: 49 }],
  ['beside another one that is worse', 'scorecard-policy@2'],
])('a policy %s stays', async (_, ...told) => {
  await tell(...told);
  expect(await inForce()).toBe(1);
});

test('a policy that catches one fraud less of a hundred ends, once, by the engine', async () => {
  await tell(POLICY, { frauds: 50, caught: 31 }, { frauds: 50 });
  await look();
  expect(await inForce()).toBe(0);
  const lines = await sql(
    `select who, subject, before ->> 'kind' as kind, after ->> 'reason' as reason from audit_log where action = 'control.end'`,
  );
  expect(lines).toEqual([
    {
      who: 'engine',
      subject: `scorecard:model:${POLICY}`,
      kind: 'scorecard',
      reason: 'in two weeks 61 of 180 alerts were frauds; as many alerts by the rules had 62',
    },
  ]);
});

test('trees are taken back that catch one fraud less than the scorecard alone', async () => {
  await putInForce(database);
  await rollOutTrees(rollOut, TREES, 'active');
  const rows = () =>
    sql<{ state: string; reason: string }>('select * from rollouts order by rollout_id');
  const states = async () => (await rows()).map(({ state }) => state);
  await tell(TREES, { caught: 90 });
  expect(await states()).toEqual(['shadow', 'canary', 'active']);
  await tell(TREES, { caught: 90 }, { caught: 89 });
  await look();
  expect(await states()).toEqual(['shadow', 'canary', 'active', 'deprecated']);
  expect((await rows()).at(-1)?.reason).toBe(
    'in two weeks 179 of 180 alerts were frauds; as many alerts by the scorecard had 180',
  );
});

test('weeks tell what a policy has decided, as its scores say', async () => {
  const [first, last] = [20_600, 20_628];
  for (let of = first; of < last; of++) {
    const made = makeDay(of, 30);
    await storeScored(database, made.slice(0, 20), 1, POLICY);
    await storeScored(database, made.slice(20), 1);
    await storeKnown(database, made, 3);
  }
  const { night } = await buildTable(database, nightOf(last));
  const week = night.table.weeks.at(-1);
  const range = [week?.day ?? 0, (week?.day ?? 0) + 7].map((of) => new Date(of * DAY_MS));
  const [counted] = await sql(
    `select count(*)::int as payments, count(*) filter (where is_fraud)::int as frauds,
            count(*) filter (where verdict <> 'approve')::int as alerts,
            count(*) filter (where is_fraud and verdict <> 'approve')::int as caught
       from (select s.*, exists (select from labels l where l.transaction_id = s.transaction_id and l.label = 'fraud') as is_fraud
               from scores s where model = $3 and created_at >= $1 and created_at < $2) s`,
    [...range, POLICY],
  );
  expect(week?.payments).toBe(210);
  expect(counted).toMatchObject({ payments: 140 });
  const { decided, ...figures } = week?.policies.get(POLICY) ?? { decided: { caught: 0 } };
  expect({ ...figures, caught: decided.caught }).toMatchObject(counted ?? {});
});
