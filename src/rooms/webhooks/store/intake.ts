/**
 * Transactions whose verdict a webhook takes. The statement that stores their scores adds a row that names them, so neither
 * exists without the other; a redelivery stores no score, and so adds none. A worker makes the deliveries and deletes the row
 * in one database transaction: none is lost, and none is made twice.
 */
import type { ScoredStatement } from '../../../core/store/scores/scores.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { TAKES } from './webhooks.ts';

const TAKERS = `from market.webhook_endpoints where 'transaction.decided' = any (event_types) and ${TAKES}`;

/** Adds a row for those of the scores whose verdict a webhook takes. Without a webhook, the scores are not looked at. */
export const addHooked: ScoredStatement = {
  name: 'add-webhook-intake',
  insert: ({ ids, verdicts }) => `insert into market.webhook_intake (transaction_ids)
      select array_agg(transaction_id)
        from unnest(${ids}::uuid[], ${verdicts}::text[]) as decided (transaction_id, verdict)
       where exists (select ${TAKERS}) and verdict in (select unnest(verdicts) ${TAKERS})
      having count(*) > 0`,
  toValue: null,
};

const takeStatement: Statement = {
  name: 'take-webhook-intake',
  text: `delete from market.webhook_intake where intake_id in (
           select intake_id from (
             select intake_id, sum(cardinality(transaction_ids)) over (order by intake_id) - cardinality(transaction_ids) as before
               from (select intake_id, transaction_ids from market.webhook_intake order by intake_id limit $1) oldest) counted
            where before < $2)
         returning transaction_ids::text[] as "transactionIds"`,
};

/** Takes the oldest rows, until they name so many transactions. @returns the ids of each */
export async function takeHooked(
  query: Query,
  rowsMax: number,
  transactionsMax: number,
): Promise<(readonly string[])[]> {
  const values = [rowsMax, transactionsMax];
  const rows = await query<{ transactionIds: string[] }>(takeStatement, values);
  return rows.map(({ transactionIds }) => transactionIds);
}
