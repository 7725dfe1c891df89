/** The backlog of a market, which metrics, autoscaling and `risk supervise` read alike. */
import type { Query } from '../../../kit/database/pool.ts';
import { onlyOf } from '../../../kit/database/statement.ts';

const sumBacklog = onlyOf<{ backlog: number }>(
  'count-backlog',
  `select coalesce(sum(cardinality(transaction_ids)), 0)::float8 as backlog
           from market.open_rows where not is_on_hold`,
);

/** Transactions that workers can score and have not: accepted, neither final nor on hold, wherever they wait. */
export const countBacklog = async (query: Query) => (await sumBacklog(query)).backlog;
