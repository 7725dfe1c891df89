/** The backlog of a market, which metrics, autoscaling and `risk supervise` read alike. */
import type { Query, Statement } from '../../../kit/database/pool.ts';

const backlogStatement: Statement = {
  name: 'count-backlog',
  text: `select coalesce(sum(cardinality(transaction_ids)), 0)::float8 as backlog
           from market.open_rows where not is_on_hold`,
};

/** Transactions that workers can score and have not: accepted, neither final nor on hold, wherever they wait. */
export async function countBacklog(query: Query): Promise<number> {
  const [row] = await query<{ backlog: number }>(backlogStatement);
  return row?.backlog ?? 0;
}
