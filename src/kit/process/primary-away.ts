/** Whether the request under way came while the primary of Postgres was away, so that its answer may lack what the primary has. */
import { AsyncLocalStorage } from 'node:async_hooks';

const scope = new AsyncLocalStorage<number>();

/** Runs a request that a replica answers. @param sinceMs time before which the replica holds everything that was stored */
export const besideAbsentPrimary = <T>(sinceMs: number, work: () => Promise<T>): Promise<T> =>
  scope.run(sinceMs, work);

/** Since when the answer may lack something; undefined where the primary was there. */
export const staleSinceMs = (): number | undefined => scope.getStore();

export const isPrimaryAway = (): boolean => staleSinceMs() !== undefined;
