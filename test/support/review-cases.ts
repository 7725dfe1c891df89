/** Review cases as a worker opens them, of transactions whose scores ask for it. */
import { raiseCases } from '../../src/control/cases/raise-cases.ts';
import type { Database } from '../../src/store/database/pool.ts';
import type { TestDatabase } from './database.ts';
import { storeTransactions, type TransactionSeed } from './stored-rows.ts';

const FIRST_MS = Date.UTC(2026, 10, 20, 12);

/** Opens a case for each, a millisecond apart; returns the ids in order. */
export async function openCasesOf(
  { sql }: Pick<TestDatabase, 'sql'>,
  database: Database,
  seeds: readonly Partial<TransactionSeed>[],
): Promise<string[]> {
  const ids = await storeTransactions(
    database,
    seeds.map((seed, index) => ({ createdAtMs: FIRST_MS + index, score: 600, ...seed })),
  );
  await sql(`insert into review_intake (source, transaction_ids) values ('score', $1)`, [ids]);
  await raiseCases(database);
  return ids;
}
