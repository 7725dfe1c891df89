/**
 * Reads beside an absent primary. A request that reads runs in a scope, in which each query of the primary goes to a replica as long
 * as the primary is away. Transactions and writes go to the primary all the same, and fail.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Database } from '../pool.ts';

/** A replica in place of the primary. */
export type StandIn = {
  readonly database: Database;
  /** As that of the databases. */
  readonly ordered: Database;
  /** The replica holds everything that was committed before, by the clock of this process. */
  readonly sinceMs: number;
};

/** Undefined while the primary answers, or where no replica may stand in. */
export type FindStandIn = () => StandIn | undefined;

/** The scope of a request has the question, not its answer: a stream of events outlives the outage. */
const scope = new AsyncLocalStorage<FindStandIn>();

export const besideAbsentPrimary = <T>(find: FindStandIn, work: () => Promise<T>): Promise<T> =>
  scope.run(find, work);

/** Whether the request under way came while the primary was away: its answer may lack what the primary has. */
export const isPrimaryAway = (): boolean => scope.getStore() !== undefined;

/** The replica that answers the request under way. */
export const standInNow = (): StandIn | undefined => scope.getStore()?.();

/** The primary, whose queries a replica answers for requests that came while the primary was away. */
export function withStandIn(primary: Database, pool: 'database' | 'ordered'): Database {
  return {
    ...primary,
    query: (statement, values) => (standInNow()?.[pool] ?? primary).query(statement, values),
  };
}
