/** Clients of transactions: who submitted each. */
import { timestampArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';
import { createdAtMsOf } from '../../domain/transaction.ts';

const readClients = rowsOf<
  { readonly transactionId: string; readonly client: string },
  [ids: Buffer, createdAt: Buffer]
>(
  'find-clients',
  `select t.transaction_id as "transactionId", t.client
           from unnest($1::uuid[], $2::timestamptz[]) as u (transaction_id, created_at)
          cross join lateral (
            select t.transaction_id, t.client from market.transactions t
             where t.transaction_id = u.transaction_id and t.created_at = u.created_at limit 1) t`,
);

/** Clients by transaction; none of a transaction whose month is detached. */
export async function findClients(
  query: Query,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const times = ids.map((id) => createdAtMsOf(id) ?? 0);
  const rows = await readClients(query, uuidArray(ids), timestampArray(times));
  return new Map(rows.map(({ transactionId, client }) => [transactionId, client]));
}
