/**
 * Goal: what waits, what overflows, what it takes and what a reviewer has decided are counted from the tables; rates are imported
 * as a file says. Method: cases with the times of a busy day, steps of reviewers, and the command as a process.
 */
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { readSuggestions } from '../../../../src/rooms/corridors/hour-figures.ts';
import { CASE_LIMITS } from '../../../../src/rooms/review/case.ts';
import { closeDecided } from '../../../../src/rooms/review/change/close-decided.ts';
import type { By } from '../../../../src/rooms/review/change/steps.ts';
import { applyOverflow } from '../../../../src/rooms/review/duty.ts';
import { readShift } from '../../../../src/rooms/review/queries/shift.ts';
import { readCapacity, readStatus } from '../../../../src/rooms/review/queries/status.ts';
import { toReviewPoint } from '../../../../src/rooms/review/status.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { openCasesOf } from '../../../support/rooms/review/cases.ts';
import { storeDecisions } from '../../../support/rooms/review/final-decisions.ts';
import { reviewingOn } from '../../../support/rooms/review/rig.ts';
import { runRisk } from '../../../support/run-risk.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const HOUR_MS = 3_600_000;
const ACTOR = 'test';

const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(testDatabase.open());

beforeEach(async () => {
  await testDatabase.sql(
    'truncate transactions, scores, outbox_review, review_cases, daily_tallies, daily_increments cascade',
  );
  await testDatabase.sql('delete from final_decisions');
});

/** Opens cases of P4, of which some are this many minutes old. */
async function open(count: number, minutes = 0): Promise<string[]> {
  const ids = await openCasesOf(
    testDatabase,
    database,
    Array.from({ length: count }, () => ({})),
  );
  await testDatabase.sql(
    `update review_cases set opened_at = opened_at - $2::int4 * interval '1 minute',
            due_at = due_at - $2::int4 * interval '1 minute' where transaction_id = any ($1)`,
    [ids, minutes],
  );
  return ids;
}

test('the status counts what waits and is late, and says what will be', async () => {
  await open(3);
  await open(2, 23 * 60 + 45);
  await open(1, 25 * 60);
  await storeDecisions(testDatabase, CASE_LIMITS.handledMin, 600, 4);
  await testDatabase.sql(
    `update review_cases set locked_by = 'Bob', locked_until = now() + interval '1 hour'
      where transaction_id = (select min(transaction_id::text)::uuid from review_cases)`,
  );
  const status = await readStatus(database.query, NOW);
  expect(status.waiting).toMatchObject([
    { priority: 'P4', corridor: 'US-EG', waiting: 6, claimed: 1, missed: 1, near: 2 },
  ]);
  expect(status.officers_at_work).toBe(2);
  // Ten of the 6 reviews that each of two does in an hour, as measured.
  expect(status.utilisation).toBe(0.8333);
  expect(status.officers).toEqual([
    { officer: 'Ann', claimed: 0, decided: 10, utilisation: 1.6667 },
    { officer: 'Bob', claimed: 1, decided: 0, utilisation: 0 },
  ]);
  expect(toReviewPoint(status)).toEqual({
    ...{ at: status.at, waiting: [0, 0, 0, 0, 6, 0], missed: 1, near: 2, officers_at_work: 2 },
  });
  expect(status.measured).toEqual({
    ...{ days: 7, decided: 10, in_time: 10, handling_seconds: 600, reviews_per_hour: 6 },
  });
  // Two officers end a case each 5 minutes: those with 15 minutes left are second and third.
  expect(status.forecast).toEqual([
    { priority: 'P4', waiting: 6, missed: 1, will_miss: 1, empty_seconds: 1800 },
  ]);
  expect(status.overflow).toMatchObject([{ priority: 'P4', cases: 3, older_than_minutes: 480 }]);
  const suggested = await readSuggestions(database, Date.now());
  expect(suggested.map(({ id, found, action }) => [id, found, action])).toEqual([
    ['waiting:US-EG', 3, 'tighten'],
  ]);
});

test('those that are due soonest are named, whatever their priority, and no decided one', async () => {
  const [first = '', second = '', decided = '', far = '', proposed = ''] = await open(5);
  const change = (id: string, minutes: number, priority: number, more = '') =>
    testDatabase.sql(
      `update review_cases set due_at = now() + $2::int4 * interval '1 minute', priority = $3 ${more} where transaction_id = $1`,
      [id, minutes, priority],
    );
  await change(first, -5, 5);
  await change(second, 10, 2, `, locked_by = 'Bob', locked_until = now() + interval '1 hour'`);
  const by = `, state = 'decided', disposition = 'fraud', decision_reason = 'seen', decided_by = 'Ann'`;
  await change(decided, 1, 0, `${by}, decided_at = now() - interval '2 hours', final_at = now()`);
  await change(far, 600, 0, `, escalated_by = 'Ann', escalated_at = now()`);
  const half = `, state = 'confirming', disposition = 'fraud', decision_reason = 'seen', decided_by = 'Ann'`;
  await change(proposed, 700, 0, `${half}, decided_at = now() - interval '2 hours'`);
  const status = await readStatus(database.query, NOW);
  const named = status.due_next.map((one) => [
    one.transaction_id,
    one.priority,
    one.locked_by,
    one.decided_by,
    one.escalated_by,
  ]);
  expect(named).toEqual([
    [first, 'P5', null, null, null],
    [second, 'P2', 'Bob', null, null],
    [far, 'P0', null, null, 'Ann'],
    [proposed, 'P0', null, 'Ann', null],
  ]);
  // Ann decided two hours ago, and is not at work.
  expect(status.officers.map(({ officer }) => officer)).toEqual(['Bob']);
});

test('a rule that escalates marks old cases once, with audit, and takes them from nobody', async () => {
  const [id = ''] = await open(1, 121);
  await testDatabase.sql(
    `update review_cases set priority = 0, locked_by = 'Ann', locked_until = now() + interval '1 hour'`,
  );
  const found = await applyOverflow(database, database.query, ACTOR);
  expect(found.map(({ rule, cases }) => [rule.priority, cases])).toEqual([
    [4, 0],
    [2, 0],
    [0, 1],
  ]);
  await applyOverflow(database, database.query, ACTOR);
  const audited = await testDatabase.sql(
    `select who, action from audit_log where subject = $1 and action = 'case.escalate'`,
    [id],
  );
  expect(audited).toEqual([{ who: 'engine', action: 'case.escalate' }]);
  expect(await testDatabase.sql('select escalated_by, locked_by from review_cases')).toEqual([
    { escalated_by: 'engine', locked_by: 'Ann' },
  ]);
});

test('capacity is measured: load, share and pace; a question may give its own', async () => {
  await testDatabase.sql(
    `insert into daily_tallies (day, corridor, currency, outcome, count, amount, score_sum)
     values ((now() at time zone 'UTC')::date - 1, 'US-EG', 'USD', 'accepted', 70, 0, 0)`,
  );
  // Opened today by an import, of transactions of yesterday.
  await open(21);
  await testDatabase.sql(
    `update review_cases set created_at = ((now() at time zone 'UTC')::date - 1)::timestamp at time zone 'UTC'`,
  );
  await storeDecisions(testDatabase, CASE_LIMITS.handledMin, 120, 4);
  expect(await readCapacity(database.query, {})).toMatchObject({
    ...{ transactions_per_day: 10, auto_clear_ratio: 0.7, reviews_per_day: 3, officers: 1 },
    ...{ reviews_per_hour: 30, officers_min: 1, hire: 0, unknown: [] },
  });
  const asked = {
    transactions_per_day: 5000,
    auto_clear_ratio: 0.7,
    reviews_per_hour: 20,
    officers: 10,
  };
  expect(await readCapacity(database.query, { ...asked, growth: 0.1 })).toMatchObject({
    ...{ reviews_per_day: 1500, officers_min: 10, officers_to_hire: 12 },
    ...{ utilisation: 0.9375, hire: 2 },
  });
});

test('rates are imported, corrected by a second import, and all refused where one is invalid', async () => {
  const file = join(tmpdir(), `rates-${process.pid}.csv`);
  const run = async (rows: string) => {
    await writeFile(file, `day,currency,usd\n${rows}\n`);
    return await runRisk(['rates', 'import', file], { DATABASE_URL: testDatabase.url });
  };
  const first = await run('2026-11-19,EUR,1.05\n2026-11-20,EUR,1.06\n2026-11-20,EGP,0.02');
  expect([first.code, first.stdout.trim()]).toEqual([0, 'rates added=3 changed=0 unchanged=0']);
  const second = await run('2026-11-19,EUR,1.05\n2026-11-20,EUR,1.07');
  expect(second.stdout.trim()).toBe('rates added=0 changed=1 unchanged=1');
  const bad = await run('2026-11-21,EUR,1.09\n2026-11-21,USD,1');
  expect([bad.code, bad.stderr]).toEqual([1, expect.stringContaining('line 3: currency must be')]);
  const rates = await testDatabase.sql(
    'select currency, day::text, usd::text from exchange_rates order by 1, 2',
  );
  expect(rates).toEqual([
    { currency: 'EGP', day: '2026-11-20', usd: '0.02' },
    { currency: 'EUR', day: '2026-11-19', usd: '1.05' },
    { currency: 'EUR', day: '2026-11-20', usd: '1.07' },
  ]);
  const audited = await testDatabase.sql(
    `select after from audit_log where action = 'rates.import'`,
  );
  expect(audited).toHaveLength(2);
});

const WITHIN = { since: Date.now() - HOUR_MS };

async function person(name: string): Promise<By> {
  await insertPersonKey(testDatabase, name, ['analyst']);
  const keys = 'select key_id as "keyId" from api_keys where identity = $1';
  const [key] = await testDatabase.sql<{ keyId: string }>(keys, [name]);
  return { name, keyId: key?.keyId ?? '', request: 'test', isOfficer: false };
}

test('decisions that stand are counted, by whom and since when, and those taken back apart', async () => {
  const reviewing = reviewingOn(database);
  const [ann, bob] = [await person('Ann'), await person('Bob')];
  const ids = await openCasesOf(testDatabase, database, [{}, {}, {}, {}, { amount: '9000.00' }]);
  const decide = async (index: number, disposition: 'fraud' | 'legitimate', by = ann) => {
    await reviewing.claim(ids[index] ?? '', by);
    await reviewing.decide(ids[index] ?? '', { disposition, reason: 'seen' }, by);
  };
  await decide(0, 'fraud');
  await testDatabase.sql(
    `update review_cases set claimed_at = decided_at - interval '2 min', due_at = decided_at - interval '1 s',
            final_at = now() - interval '1 s' where state = 'decided'`,
  );
  const invalidateLabelled = async () => undefined;
  await closeDecided({ writes: database, database, invalidateLabelled }, 'test');
  await decide(1, 'legitimate');
  await decide(2, 'fraud', bob);
  await decide(3, 'fraud');
  await reviewing.undo(ids[3] ?? '', ann);
  await decide(4, 'fraud');
  await testDatabase.sql(
    `update review_cases set claimed_at = decided_at - interval '4 min' where decided_by = 'Ann' and state <> 'closed'`,
  );
  expect(await readShift(database.query, 'Ann', WITHIN, Date.now())).toEqual({
    ...{ reviewer: 'Ann', since: new Date(WITHIN.since).toISOString() },
    // Final, can be undone, waits for a second person; the first was late.
    ...{ decided: 3, fraud: 2, legitimate: 1, unsure: 0, in_time: 2 },
    // Too few to say.
    ...{ handling_seconds: null, undone: 1 },
  });
  expect(await readShift(database.query, 'Bob', WITHIN, Date.now())).toMatchObject({ decided: 1 });
  const later = { since: Date.now() + HOUR_MS };
  expect(await readShift(database.query, 'Ann', later, Date.now())).toMatchObject({
    ...{ decided: 0, handling_seconds: null, undone: 0 },
  });
  await storeDecisions(testDatabase, CASE_LIMITS.handledMin - 3, 300);
  expect(await readShift(database.query, 'Ann', WITHIN, Date.now())).toMatchObject({
    ...{ decided: CASE_LIMITS.handledMin, handling_seconds: 300 },
  });
});
