/** Runs calls one after the other; one that stalls no longer holds up the next. */
import pLimit from 'p-limit';
import { settlesWithin } from './settles-within.ts';

/** @param stallMs a call that takes longer has stalled, and the next one begins */
export function oneAtATime(stallMs: number): <T>(call: () => Promise<T>) => Promise<T> {
  const turn = pLimit(1);
  return <T>(call: () => Promise<T>) => {
    const { promise, resolve } = Promise.withResolvers<T>();
    void turn(async () => {
      const result = call();
      resolve(result);
      await settlesWithin(result, stallMs);
    });
    return promise;
  };
}
