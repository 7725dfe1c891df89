/** Lets so many calls run at a time; others wait in order, and are refused after a time. */
import type { Failure } from '../words/failure.ts';
import { settlesWithin } from './settles-within.ts';

type SlotsOptions = {
  readonly callsMax: number;
  readonly waitMs: number;
  /** Makes the Failure of a call that has waited for so long. */
  readonly refuse: () => Failure;
};

export type InSlot = <T>(call: () => Promise<T>) => Promise<T>;

export function createSlots({ callsMax, waitMs, refuse }: SlotsOptions): InSlot {
  const waiting = new Set<() => void>();
  let running = 0;
  const wait = async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.add(resolve);
    // A call that got its turn at the last moment no longer waits, and takes it.
    if (!(await settlesWithin(promise, waitMs)) && waiting.delete(resolve)) throw refuse();
  };
  const end = () => {
    const [next] = waiting;
    if (next === undefined) {
      running -= 1;
      return;
    }
    // The slot is handed on without being free meanwhile, so that no later call takes it.
    waiting.delete(next);
    next();
  };
  return async (call) => {
    if (running >= callsMax) await wait();
    else running += 1;
    try {
      return await call();
    } finally {
      end();
    }
  };
}
