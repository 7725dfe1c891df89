/** Review cases as a worker opens them, of transactions whose scores ask for it. */
import type { Database } from '../../../../src/kit/database/pool.ts';
import { raiseCases } from '../../../../src/rooms/review/change/raise-cases.ts';
import type { StoredCase } from '../../../../src/rooms/review/review-case.ts';
import type { TestDatabase } from '../../database.ts';
import { idAt, storeTransactions, type TransactionSeed } from '../../stored-rows.ts';

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

/** An open case that nobody has, as it is read. */
export function storedCase(changed: Partial<StoredCase> = {}): StoredCase {
  return {
    ...{ transactionId: idAt(FIRST_MS, 1), createdAtMs: FIRST_MS, accountId: 'acc_1' },
    ...{ merchantId: 'm_1', deviceId: null, corridor: 'US-EG', amount: '10.00', currency: 'USD' },
    ...{ marketAmount: '10.00', rateDay: null, score: 600, verdict: 'review', reasons: [] },
    ...{
      source: 'verdict',
      priority: 4,
      policy: 1,
      marketCurrency: 'USD',
      fourEyesAmount: '5000',
      openedAtMs: FIRST_MS,
      openedBy: 'engine',
    },
    ...{ dueAtMs: FIRST_MS + 86_400_000, closedAtMs: null, nowMs: FIRST_MS, state: 'open' },
    ...{ assignee: null, lockedBy: null, lockedUntilMs: null, claimedAtMs: null },
    ...{ escalatedBy: null, escalatedAtMs: null, disposition: null, decisionReason: null },
    ...{ decidedBy: null, decidedByKey: null, decidedAtMs: null, confirmedBy: null },
    ...{ confirmedByKey: null, finalAtMs: null },
    ...changed,
  };
}
