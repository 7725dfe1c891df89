/**
 * Goal: from the second night of policies on, no night changes more verdicts than the policy allows, whatever labels say; such a night
 * waits for people, and a call takes its labels out. Method: made days, a night each, and a client whose labels are a flood.
 */
import { expect, test } from 'vitest';
import { DEFAULT_TERMS } from '../../../src/core/domain/policy.ts';
import { differsFrom } from '../../../src/core/repair/night/bound.ts';
import { buildTable } from '../../../src/core/repair/night/build-table.ts';
import type { Known } from '../../../src/core/repair/night/count-days.ts';
import { BUCKETS } from '../../../src/core/score/scorecard/cuts.ts';
import { type DayTable, textOfDay } from '../../../src/core/score/scorecard/day-table.ts';
import { tableName } from '../../../src/core/score/scorecard/judge-by-table.ts';
import { findHead } from '../../../src/core/store/scorecards/scorecards.ts';
import { findTableAt } from '../../../src/core/work/day-tables.ts';
import type { Approval } from '../../../src/kit/approvals/approval.ts';
import { DAY_MS } from '../../../src/kit/words/range.ts';
import { insertApproval, keyIdOf } from '../../support/approvals.ts';
import { insertControl } from '../../support/controls.ts';
import { openTestDatabase } from '../../support/database.ts';
import {
  declareFields,
  makeDays,
  nightOf,
  SIGNAL,
  storeKnown,
  storeLabelled,
} from '../../support/made-days.ts';
import { insertPersonKey } from '../../support/people.ts';

const [FIRST, DAYS] = [20_600, 51];
const START = FIRST + 41;
const BOUND = 0.05;
const { testDatabase, database } = await openTestDatabase();
const { sql } = testDatabase;

const payments = makeDays(FIRST, DAYS, 45);
await storeLabelled(database, payments);

let next = START;
/** Builds the table of the next day. */
async function build() {
  const day = next++;
  const { night } = await buildTable(database, nightOf(day));
  return { ...night, day, inUse: await inUseOn(day) };
}
const inUseOn = async (day: number) => (await findTableAt(database.query, day * DAY_MS))?.table.day;

async function putPolicy(more: object, number = 1) {
  const policy = { measures_left_out: [], review_share: 0.1, decline_share: 0.05, ...more };
  await sql(insertControl('scorecard', `model:scorecard-policy@${number}`, { policy }));
}
const endPolicies = () => sql(`delete from controls where kind = 'scorecard'`);
const changePolicy = (member: string, value: string) =>
  sql(
    `update controls set value = jsonb_set(value, '{policy,${member}}', '${value}') where kind = 'scorecard'`,
  );

/** Calls the honest payments of eight days frauds that look least like frauds. */
const inverted = payments
  .filter((of) => of.createdAtMs < (FIRST + 8) * DAY_MS && !of.isFraud)
  .filter(({ vector }) => (vector[SIGNAL] ?? 9) < 0.7)
  .map((of) => ({ ...of, isFraud: true }));

test('without a policy each night is taken; the first one has no table to differ from', async () => {
  expect(await build()).toMatchObject({ differs: null, isTaken: true });
  const second = await build();
  expect(second.isTaken).toBe(true);
  expect(second.differs).toBeLessThan(BOUND);
});

test('the first night of a policy has no bound, and an honest night after it is within the bound', async () => {
  await putPolicy({ bound: 0 });
  const first = await build();
  expect(first.differs).toBeGreaterThan(0);
  expect(first.isTaken).toBe(true);
  await changePolicy('bound', `${BOUND}`);
  const second = await build();
  expect(second.differs).toBeGreaterThan(0);
  expect(second).toMatchObject({ isTaken: true, inUse: second.day });
});

const honest = () => START + 3;
test('a flood of inverted labels is not taken, night after night, and the table before judges', async () => {
  await storeKnown(database, inverted, 5, 'importer');
  for (const night of [await build(), await build()]) {
    expect(night.differs).toBeGreaterThan(BOUND);
    expect(night).toMatchObject({ isTaken: false, inUse: honest() });
    expect(await findHead(database.query, night.day)).toMatchObject({
      ...{ isTaken: false, inUse: false, differs: night.differs },
    });
  }
  expect(await inUseOn(next + 5)).toBe(honest());
  const [line] = await sql<{ after: object }>(
    `select after from audit_log where action = 'scorecard.build' order by audit_id desc limit 1`,
  );
  expect(line?.after).toMatchObject({ is_taken: false, left_out: [] });
});

test('two people take a table, and one person refuses the table', async () => {
  const taken = next - 1;
  const people = await Promise.all(
    ['Ann', 'Bob'].map(async (name) => {
      return { name, keyId: keyIdOf(await insertPersonKey(testDatabase, name, ['risk_officer'])) };
    }),
  );
  const kind = 'scorecard-table' as Approval['kind'];
  await insertApproval(testDatabase, kind, people, {}, textOfDay(taken));
  expect(await inUseOn(taken)).toBe(taken);
  expect(await findHead(database.query, taken)).toMatchObject({ isTaken: true, inUse: true });
  await sql(insertControl('stop', `model:${tableName({ day: taken })}`));
  expect(await inUseOn(taken)).toBe(honest());
});

test('a call takes the labels out, and the next night is taken, a missing night before it', async () => {
  next++;
  expect(await inUseOn(next)).toBe(honest());
  await sql(insertControl('unlearnt', 'client:importer', { received_days: 180 }));
  await sql(`update controls set set_at = to_timestamp($1) where kind = 'unlearnt'`, [
    ((START + 7) * DAY_MS) / 1000,
  ]);
  const night = await build();
  expect(night.differs).toBeLessThanOrEqual(BOUND);
  expect(night).toMatchObject({ isTaken: true, inUse: night.day });
  expect(night.table.leftOutLabels).toEqual([
    expect.stringMatching(/^unlearnt:client:importer 20\S+Z\/2026-07-14T00:00:00\.000Z$/),
  ]);
});

test('a table that a person refuses is not what the next night is compared with', async () => {
  const refused = next - 1;
  await sql(insertControl('stop', `model:${tableName({ day: refused })}`));
  expect(await inUseOn(next)).toBe(honest());
  const night = await build();
  expect(night).toMatchObject({ isTaken: true, inUse: night.day });
});

test('a field that is declared anew with another type, and nights without a label, are bounded as well', async () => {
  await sql(declareFields({ distance: 'number' }));
  const declared = await build();
  await sql(`delete from metadata_fields`);
  await sql(declareFields({ distance: 'text' }));
  for (const night of [declared, await build()]) {
    expect(night.differs).toBeLessThanOrEqual(BOUND);
    expect(night.isTaken).toBe(true);
    expect(night.table.tops.scorecard).toHaveLength(100);
  }
});

test('the first night of a policy is bounded where another policy was in force the night before', async () => {
  const known = next - 1;
  const leftOut = { bound: BOUND, measures_left_out: ['amount_to_median'] };
  await putPolicy(leftOut, 2);
  expect(await build()).toMatchObject({ isTaken: false, differs: null, inUse: known });
  await endPolicies();
  await putPolicy({ bound: 0 });
  expect(await build()).toMatchObject({ isTaken: false, inUse: known });
  await endPolicies();
  expect((await build()).isTaken).toBe(true);
});

test('a policy that leaves other measures out than the table in use cannot be compared after its first night', async () => {
  await putPolicy({ bound: BOUND, measures_left_out: ['amount_to_median'] });
  const first = await build();
  expect(first).toMatchObject({ isTaken: true, differs: null });
  const { measures, scorecard, leftOut } = first.table;
  const at = measures.indexOf('amount_to_median') * BUCKETS;
  expect(scorecard.points.slice(at, at + BUCKETS).every((points) => points === 0)).toBe(true);
  expect(leftOut).toEqual(['amount_to_median']);
  await changePolicy('measures_left_out', '[]');
  expect(await build()).toMatchObject({ isTaken: false, differs: null, inUse: first.day });
});

test('labels reach verdicts through lifts, too', async () => {
  const stored = await findTableAt(database.query, next * DAY_MS - 1);
  const own = stored?.table as DayTable;
  const [points, at] = [own.scorecard.points.slice(), own.measures.indexOf('type_lift') * BUCKETS];
  for (let bucket = 0; bucket < BUCKETS; bucket++) points[at + bucket] = 0.3 * bucket;
  const table = { ...own, scorecard: { ...own.scorecard, points } };
  const shares = { review_share: 0.1, decline_share: 0.05 };
  const policy = { ...DEFAULT_TERMS, ...shares, measures_left_out: [...own.leftOut] };
  const known = {
    ...{ ...nightOf(next), query: database.query, slots: [] },
    matured: { knownByMs: next * DAY_MS, isOut: () => 'false' },
    payments: new Map(Array.from({ length: DAYS }, (_, nth) => [FIRST + nth, 45])),
  } as unknown as Known;
  const differs = (other: DayTable) => differsFrom(known, new Map(), other, policy);
  expect(await differs(own)).toBe(0);
  const types = table.lifts.get('type');
  const lifts = new Map(table.lifts).set('type', {
    byValue: new Map([...(types?.byValue ?? [])].map(([value, lift]) => [value, -9 * lift])),
    others: types?.others ?? 0,
  });
  expect(await differs({ ...table, lifts })).not.toBe(await differs(table));
});
