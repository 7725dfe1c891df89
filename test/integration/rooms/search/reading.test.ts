/** Single rows by id on real Postgres, and reads of a replica. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../../../src/kit/database/pool.ts';
import type { Databases } from '../../../../src/kit/database/replica/choose-database.ts';
import { readTransaction } from '../../../../src/rooms/search/queries/read-transaction.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { alone, DAY_MS, inStep, NOVEMBER, transactions } from '../../../support/reads.ts';
import { idAt, storeDeadLetters, storeTransactions } from '../../../support/stored-rows.ts';

describe('by id', () => {
  const seeds = [
    { id: idAt(NOVEMBER, 1), createdAtMs: NOVEMBER, amount: '125.50', score: 700 },
    { id: idAt(NOVEMBER, 2), createdAtMs: NOVEMBER, amount: '7', currency: 'JPY' },
    { id: idAt(NOVEMBER, 3), createdAtMs: NOVEMBER, amount: '0.001', currency: 'KWD' },
    { id: idAt(NOVEMBER, 4), createdAtMs: NOVEMBER },
    { id: idAt(NOVEMBER, 5), createdAtMs: NOVEMBER },
  ] as const;
  let database: Database;
  let dispose: () => Promise<void>;

  beforeAll(async () => {
    const testDatabase = await createTestDatabase();
    database = testDatabase.open();
    dispose = async () => {
      await database[Symbol.asyncDispose]();
      await testDatabase[Symbol.asyncDispose]();
    };
    await storeTransactions(database, seeds);
    await storeDeadLetters(database, [
      { id: idAt(NOVEMBER, 91), transactionId: seeds[1].id, failedAtMs: NOVEMBER },
      { id: idAt(NOVEMBER, 92), transactionId: seeds[3].id, failedAtMs: NOVEMBER },
      { id: idAt(NOVEMBER, 93), transactionId: seeds[4].id, failedAtMs: NOVEMBER },
    ]);
    const mark = (column: string, id: string) =>
      testDatabase.sql(`update dead_letters set ${column} = now() where dead_letter_id = $1`, [id]);
    await mark('replayed_at', idAt(NOVEMBER, 92));
    await mark('purged_at', idAt(NOVEMBER, 93));
  });
  afterAll(() => dispose());

  test.each([
    [1, 'scored', '125.50'],
    [2, 'dead_lettered', '7'],
    [3, 'accepted', '0.001'],
    [4, 'accepted', '10.00'],
    [5, 'dead_lettered', '10.00'],
  ])(
    'readTransaction %i is %s with the amount as it was given',
    async (sequence, status, amount) => {
      const found = await readTransaction(alone(database), idAt(NOVEMBER, sequence), null);
      expect(found).toMatchObject({ status, amount, created_at: '2026-11-15T12:00:00.000Z' });
      expect(Object.keys(found ?? {})).toHaveLength(17);
    },
  );
});

test('old data comes from the replica, recent data from the primary, and what the replica lacks too', async () => {
  await using primaryDatabase = await createTestDatabase();
  await using replicaDatabase = await createTestDatabase();
  await using primary = primaryDatabase.open();
  await using replica = replicaDatabase.open();
  const databases: Databases = { primary, replica: inStep(replica), now: () => NOVEMBER };
  const old = NOVEMBER - 60 * DAY_MS;
  const seed = (sequence: number, createdAtMs: number, accountId: string) => ({
    id: idAt(createdAtMs, sequence),
    createdAtMs,
    accountId,
    score: 1,
  });
  await storeTransactions(primary, [
    seed(1, old, 'primary'),
    seed(2, NOVEMBER, 'primary'),
    seed(3, old, 'primary'),
  ]);
  await storeTransactions(replica, [seed(1, old, 'replica'), seed(2, NOVEMBER, 'replica')]);
  const accountsOf = async (query: Record<string, string>) =>
    (await transactions(databases, query)).items.map((item) => item.account_id);
  // The rows of a page come from one server.
  expect(await accountsOf({})).toEqual(['primary', 'primary']);
  expect(await accountsOf({ to: new Date(NOVEMBER - DAY_MS).toISOString() })).toEqual(['replica']);
  const accountOf = async (id: string) => (await readTransaction(databases, id, null))?.account_id;
  expect(await accountOf(idAt(old, 1))).toBe('replica');
  expect(await accountOf(idAt(NOVEMBER, 2))).toBe('primary');
  expect(await accountOf(idAt(old, 3))).toBe('primary');
});

test('a score that the primary has found is listed, although the replica has its transaction without it', async () => {
  await using primaryDatabase = await createTestDatabase();
  await using replicaDatabase = await createTestDatabase();
  await using primary = primaryDatabase.open();
  await using replica = replicaDatabase.open();
  const databases: Databases = { primary, replica: inStep(replica), now: () => NOVEMBER };
  const seed = { id: idAt(NOVEMBER - DAY_MS, 1), createdAtMs: NOVEMBER - DAY_MS };
  await storeTransactions(primary, [{ ...seed, score: 900 }]);
  await storeTransactions(replica, [seed]);
  const listed = [{ transaction_id: seed.id, status: 'scored', score: { score: 900 } }];
  for (const query of [{ status: 'scored' }, { verdict: 'decline' }, { sort: 'score' }]) {
    expect((await transactions(databases, query)).items).toMatchObject(listed);
  }
});
