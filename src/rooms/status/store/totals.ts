/** Committed transactions that are not yet known to be in a stream, for the status page. */
import type { Database } from '../../../kit/database/pool.ts';

const countUnappendedStatement = {
  name: 'count-unappended',
  text: 'select coalesce(sum(cardinality(transaction_ids)), 0)::int4 as transactions from market.ingest_batches',
};

export async function countUnappended(database: Pick<Database, 'query'>): Promise<number> {
  const [row] = await database.query<{ transactions: number }>(countUnappendedStatement);
  return row?.transactions ?? 0;
}
