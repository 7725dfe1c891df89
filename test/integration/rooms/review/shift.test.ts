/**
 * Goal: a reviewer's figures count what that person decided since the begin of the shift and still stands, and what was taken
 * back. Method: steps of reviewers against a real database; times pass by moving them in the table.
 */
import { expect, test } from 'vitest';
import { CASE_LIMITS } from '../../../../src/rooms/review/case.ts';
import { closeDecided } from '../../../../src/rooms/review/change/close-decided.ts';
import type { By } from '../../../../src/rooms/review/change/steps.ts';
import { readShift } from '../../../../src/rooms/review/queries/shift.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { openCasesOf } from '../../../support/rooms/review/cases.ts';
import { storeDecisions } from '../../../support/rooms/review/final-decisions.ts';
import { reviewingOn } from '../../../support/rooms/review/rig.ts';

const HOUR_MS = 3_600_000;
const WITHIN = { since: Date.now() - HOUR_MS };

const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(testDatabase.open());

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
