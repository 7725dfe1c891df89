/** Final decisions as closing a case would have stored them. */
import type { TestDatabase } from '../../database.ts';
import { idAt } from '../../stored-rows.ts';

/** Adds decisions in the order of their ids; returns the ids of their transactions. @param everyMinutes between two decisions */
export async function storeDecisions(
  { sql }: Pick<TestDatabase, 'sql'>,
  count: number,
  handlingSeconds = 180,
  everyMinutes = 0,
): Promise<string[]> {
  const ids = Array.from({ length: count }, (_, index) => idAt(Date.UTC(2026, 10, 20) + index));
  await sql(
    `insert into final_decisions (decision_id, transaction_id, created_at, account_id, merchant_id, corridor, score, verdict,
            source, priority, disposition, reason, decided_by, decided_at, label, opened_at, claimed_at, due_at)
     select (select coalesce(max(decision_id), 0) from final_decisions) + nth, id, now(), 'acc_1', 'm_1', 'US-EG', 600, 'review',
            'verdict', 4, 'fraud', 'seen', 'Ann', now() - nth * $3::int4 * interval '1 minute', 'posted', now() - interval '1 hour',
            now() - nth * $3::int4 * interval '1 minute' - $2::int4 * interval '1 s', now() + interval '1 hour'
       from unnest($1::uuid[]) with ordinality as u (id, nth)`,
    [ids, handlingSeconds, everyMinutes],
  );
  return ids;
}
