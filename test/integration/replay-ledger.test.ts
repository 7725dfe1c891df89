/**
 * Goal: the ledger counts the outcomes of the given ids exactly, and would notice a lost, a doubled and a dead
 * transaction. Method: rows inserted by SQL in a real database, several partitions.
 */
import { expect, test } from 'vitest';
import { countLedger } from '../../src/tools/client/read-ledger.ts';
import { packIds } from '../../src/tools/client/replay.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

const RECEIVED_MS = Date.UTC(2026, 10, 20, 12);
/** Times in three months, so that three partitions are joined. */
const CREATED_MS = [
  Date.UTC(2026, 8, 3),
  Date.UTC(2026, 9, 31, 23, 59, 59, 999),
  Date.UTC(2026, 10, 1),
];

function idAt(createdAtMs: number, serial: number): string {
  const time = createdAtMs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${serial.toString(16).padStart(12, '0')}`;
}

async function arrange(database: TestDatabase, transactions: number): Promise<string[]> {
  for (const table of ['transactions', 'scores']) {
    await database.sql(`create table ${table}_all partition of ${table} default`);
  }
  const ids = Array.from({ length: transactions }, (_, index) =>
    idAt(CREATED_MS[index % CREATED_MS.length] ?? 0, index),
  );
  for (const [index, id] of ids.entries()) await insertTransaction(database, id, index);
  return ids;
}

async function insertTransaction(database: TestDatabase, id: string, index: number): Promise<void> {
  await database.sql(
    `insert into transactions (client, transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency)
     values ('default', $1, to_timestamp($2 / 1000.0), to_timestamp($3 / 1000.0), 'a', 'm', 'US-EG', 1, 'USD')`,
    [id, CREATED_MS[index % CREATED_MS.length], RECEIVED_MS],
  );
}

/** Scored `latencyMs` after it was received; `shiftMs` moves its created_at, as a bug might. */
async function insertScore(
  database: TestDatabase,
  id: string,
  latencyMs: number,
  shiftMs = 0,
): Promise<void> {
  const createdAtMs = Number.parseInt(id.replace('-', '').slice(0, 12), 16) + shiftMs;
  await database.sql(
    `insert into scores (features_crc32, transaction_id, created_at, scored_at, account_id, corridor, score, risk, verdict, reasons,
       features, feature_schema, rule_set, attempts, degradation)
     values (0, $1, to_timestamp($2 / 1000.0), to_timestamp($3 / 1000.0), 'a', 'US-EG', 0, 0, 'approve', '[]', '', 1, 'r@1', 1, 0)`,
    [id, createdAtMs, RECEIVED_MS + latencyMs],
  );
}

async function insertDeadLetter(
  database: TestDatabase,
  id: string,
  replayed: boolean,
): Promise<void> {
  await database.sql(
    `insert into dead_letters (dead_letter_id, transaction_id, corridor, stream, entry_id, attempts, error_code, error,
       entry, failed_at, replayed_at)
     values (gen_random_uuid(), $1, 'US-EG', 's', '1-1', 4, 'E', 'e', '', now(), case when $2 then now() end)`,
    [id, replayed],
  );
}

test('countLedger counts scored, dead and doubled among the given ids only', async () => {
  await using test = await createTestDatabase();
  const ids = await arrange(test, 12);
  for (const [index, id] of ids.slice(0, 8).entries())
    await insertScore(test, id, 10 * (index + 1));
  await insertScore(test, ids[2] ?? '', 30, 1);
  await insertDeadLetter(test, ids[8] ?? '', false);
  await insertDeadLetter(test, ids[9] ?? '', true);
  // Scored after its replay from the dead letters: one outcome, not two.
  await insertDeadLetter(test, ids[0] ?? '', false);

  await using database = test.open();
  const query = { repeated: [], receivedFromMs: 0 };
  const counts = await countLedger(database, { ...query, accepted: [packIds(ids)] });
  expect(counts).toMatchObject({ scored: 8, deadLettered: 1, doubled: 1, repeatedAccepted: 0 });
  expect(counts.latencyP50Ms).toBeCloseTo(45, 3);
  expect(counts.latencyP99Ms).toBeGreaterThan(75);
  const some = await countLedger(database, {
    ...query,
    accepted: [packIds(ids.slice(4, 6)), packIds(ids.slice(6, 9))],
  });
  expect(some).toMatchObject({ scored: 4, deadLettered: 1, doubled: 0 });
});

test('countLedger takes a repeated id as accepted only if it was received since', async () => {
  await using test = await createTestDatabase();
  const ids = await arrange(test, 6);
  for (const id of ids) await insertScore(test, id, 5);
  await using database = test.open();
  const lists = { accepted: [packIds(ids.slice(0, 2))], repeated: [packIds(ids.slice(2))] };
  const count = (receivedFromMs: number) => countLedger(database, { ...lists, receivedFromMs });
  expect(await count(RECEIVED_MS)).toMatchObject({ repeatedAccepted: 4, scored: 6 });
  expect(await count(RECEIVED_MS + 1)).toMatchObject({ repeatedAccepted: 0, scored: 2 });
});
