/**
 * Hands committed transactions to the streams. It never fails a request: what cannot be appended is
 * counted and stays an open batch, which the reconciler appends later. After a failure of Redis one
 * caller a second tries again; the others skip the attempt instead of waiting for its timeout.
 */
import { Failure, isUnavailable } from '../domain/failure.ts';
import type { EntryPayload } from '../stream/entry.ts';

/** The producer: groups by stream and leaves what a full stream cannot take. Throws `unavailable`. */
export type AppendEntries = (
  payloads: readonly EntryPayload[],
) => Promise<{ readonly appended: number; readonly left: readonly EntryPayload[] }>;

export type AppendFailures = { inc: (labels: { reason: string }) => void };

/** True when every entry is in its stream. */
export type TryAppend = (payloads: readonly EntryPayload[]) => Promise<boolean>;

const COOL_DOWN_MS = 1000;

export type TryAppendDependencies = {
  readonly append: AppendEntries;
  readonly failures: AppendFailures;
  /** Monotonic clock. */
  readonly nowMs: () => number;
};

export function createTryAppend({ append, failures, nowMs }: TryAppendDependencies): TryAppend {
  let retryAtMs = Number.NEGATIVE_INFINITY;
  let isDown = false;
  const fail = (reason: string) => {
    failures.inc({ reason });
    return false;
  };
  return async (payloads) => {
    if (isDown && nowMs() < retryAtMs) return fail('cool-down');
    // The next caller waits its turn even while this one is still trying.
    if (isDown) retryAtMs = nowMs() + COOL_DOWN_MS;
    try {
      const { left } = await append(payloads);
      isDown = false;
      return left.length === 0 || fail('full');
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      isDown = true;
      retryAtMs = nowMs() + COOL_DOWN_MS;
      return fail(error instanceof Failure ? error.code : 'unavailable');
    }
  };
}
