/**
 * A replica in place of an absent primary: it answers queries of requests that came while the primary was away. Transactions and
 * writes go to the primary all the same, and fail.
 */
import { isPrimaryAway } from '../../process/primary-away.ts';
import type { Database } from '../pool.ts';

export type StandIn = {
  readonly database: Database;
  /** The pool `ordered` of the replica. */
  readonly ordered: Database;
  /** Time, by the clock of this process, before which the replica holds everything that was committed. */
  readonly sinceMs: number;
};

/** @param find undefined once the primary is back: a stream of events outlives the outage in which it began */
export function withStandIn(
  primary: Database,
  pool: 'database' | 'ordered',
  find: () => StandIn | undefined,
): Database {
  return {
    ...primary,
    query: (statement, values) => {
      const standIn = isPrimaryAway() ? find() : undefined;
      return (standIn?.[pool] ?? primary).query(statement, values);
    },
  };
}
