/**
 * Goal: the open dead letter of a transaction that has a score is closed, whichever process left it open, and
 * no other one; by the leader only, page by page, by key. Method: rows as workers leave them, and the duty as a
 * worker runs it, on a real Postgres.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bindDeadLetters } from '../../src/core/repair/dead-letter-duty.ts';
import {
  listDeadLettersOfScored,
  OPEN_LETTERS_PAGE_ROWS,
} from '../../src/core/store/dead-letters/dead-letters.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { createLeadership } from '../../src/kit/duties/leadership.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { rowsRead } from '../support/rows-read.ts';
import { idAt, storeDeadLetters, storeTransactions } from '../support/stored-rows.ts';

const MARCH_MS = Date.UTC(2026, 2, 10);
const APRIL_MS = Date.UTC(2026, 3, 10);
const { signal } = new AbortController();

let testDatabase: TestDatabase;
let database: Database;
beforeEach(async () => {
  testDatabase = await createTestDatabase();
  database = testDatabase.open();
});
afterEach(async () => {
  await database[Symbol.asyncDispose]();
  await testDatabase[Symbol.asyncDispose]();
});

const lettersOf = async (transactionIds: readonly (string | null)[]) =>
  await storeDeadLetters(
    database,
    transactionIds.map((transactionId) => ({
      ...{ id: idAt(Date.now()), transactionId, failedAtMs: MARCH_MS },
    })),
  );
const openOnes = async () => {
  const rows = await testDatabase.sql<{ id: string | null }>(
    `select transaction_id as id from dead_letters where replayed_at is null and purged_at is null
      order by transaction_id`,
  );
  return rows.map(({ id }) => id);
};

test('the letters of what has a score are closed, those of what has none stay', async () => {
  const [scored = '', unscored = '', later = '', purged = ''] = await storeTransactions(database, [
    { createdAtMs: MARCH_MS, score: 1 },
    { createdAtMs: MARCH_MS + 1 },
    { createdAtMs: APRIL_MS, score: 900 },
    { createdAtMs: APRIL_MS, score: 1 },
  ]);
  await lettersOf([purged]);
  await testDatabase.sql('update dead_letters set purged_at = now()');
  await lettersOf([scored, unscored, later, null]);
  const duty = bindDeadLetters(database, createLeadership(database, 'one'));
  await duty.run(signal);
  expect(await openOnes()).toEqual([unscored, null]);
  const replayed = `select transaction_id as id from dead_letters where replayed_at is not null
                     order by transaction_id`;
  expect(await testDatabase.sql(replayed)).toEqual([{ id: scored }, { id: later }]);
});

test('a page reads its letters and their scores, however many there are', async () => {
  await storeTransactions(database, [{ createdAtMs: MARCH_MS }, { createdAtMs: APRIL_MS }]);
  const made = `to_timestamp(${MARCH_MS / 1000}) + i * interval '1 s'`;
  const rows = OPEN_LETTERS_PAGE_ROWS;
  await testDatabase.sql(`
    insert into scores (features_crc32, transaction_id, created_at, scored_at, account_id, corridor, score, risk, verdict, reasons,
                        features, feature_schema, rule_set, attempts, degradation)
    select 0, gen_random_uuid(), ${made}, now(), 'acc_1', 'US-EG', 1, 0.001, 'approve', '[]', '', 3, 'default@3', 1, 0
      from generate_series(1, ${10 * rows}) i`);
  await testDatabase.sql(`
    insert into dead_letters (dead_letter_id, transaction_id, created_at, account_id, corridor, stream, entry_id,
                              attempts, error_code, error, entry, failed_at, replayed_at)
    select gen_random_uuid(), gen_random_uuid(), ${made}, 'acc_1', 'US-EG', 's', i::text, 4, 'SCORING_FAILED', 'no', '',
           now(), case when i % 2 = 0 then now() end
      from generate_series(1, ${10 * rows}) i`);
  await testDatabase.sql('analyze scores, dead_letters');
  const read = await rowsRead(database, (query) => listDeadLettersOfScored({ query }));
  expect(read.get('dead_letters')).toBe(rows);
  expect(read.get('scores_y2026m03') ?? 0).toBeLessThanOrEqual(rows);
  expect(read.get('scores_y2026m04') ?? 0).toBe(0);
});
