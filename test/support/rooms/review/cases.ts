/** Review cases as a worker opens them, of transactions whose scores ask for it. */
import type { Database } from '../../../../src/kit/database/pool.ts';
import { applyRows } from '../../../../src/kit/outbox/outbox.ts';
import type { StoredCase } from '../../../../src/rooms/review/case.ts';
import { REVIEWED } from '../../../../src/rooms/review/change/raise-cases.ts';
import type { TestDatabase } from '../../database.ts';
import { storeTransactions, type TransactionSeed } from '../../stored-rows.ts';

const FIRST_MS = Date.UTC(2026, 10, 20, 12);

/** Opens the cases that the outbox names, as a worker does. */
export const raiseCases = async (database: Pick<Database, 'transaction'>) =>
  (await applyRows(database, REVIEWED)).effect ?? [];

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
  await sql(`insert into outbox_review (source, transaction_ids) values ('score', $1)`, [ids]);
  await raiseCases(database);
  return ids;
}

/** An open case that nobody has, as it is read. */
export function storedCase(changed: Partial<StoredCase> = {}): StoredCase {
  const at = new Date(FIRST_MS).toISOString();
  const decision = {
    ...{ disposition: null, decision_reason: null, decided_by: null, decided_by_key: null },
    ...{ decided_at: null, confirmed_by: null, confirmed_by_key: null, final_at: null },
  };
  return {
    ...{ transaction_id: '01a1f84a-95c0-7000-8000-00000000002a', corridor: 'US-EG' },
    ...{ account_id: 'acc_17', merchant_id: 'm_9', device_id: 'device-4f2a', score: 730 },
    ...{ amount: '125.50', currency: 'USD', market_amount: '125.50', market_currency: 'USD' },
    ...{ rate_day: null, verdict: 'review', reasons: ['VELOCITY_COUNT_1H'], policy: 1 },
    ...{ state: 'open', source: 'verdict', priority: 4, four_eyes_amount: '5000' },
    ...{ due_at: '2026-11-20T13:30:00.000Z', opened_by: 'engine', assignee: null },
    ...{ locked_by: null, locked_until: null, claimed_at: null, closed_at: null },
    ...{ escalated_by: null, escalated_at: null, ...decision },
    ...{ created_at: at, opened_at: at, now: at, ...changed },
  };
}
