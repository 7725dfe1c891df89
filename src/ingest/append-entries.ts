/**
 * Hands committed transactions to the streams. It never fails a request: what cannot be appended is
 * counted and stays in its open batch, which the reconciler appends later, in order. After a failure of
 * Redis one caller a second tries again; the others skip the attempt instead of waiting for its timeout.
 */
import { Failure, isUnavailable } from '../domain/failure.ts';
import type { EntryPayload } from '../stream/entries/entry.ts';

/** The producer groups by stream and returns what a full stream refused. Throws `unavailable`. */
export type AppendEntries = (
  payloads: readonly EntryPayload[],
) => Promise<{ readonly appended: number; readonly left: readonly EntryPayload[] }>;

export type AppendFailures = { inc: (labels: { reason: string }) => void };

/** Resolves to the entries that are not known to be in their streams: usually none. */
export type TryAppend = (payloads: readonly EntryPayload[]) => Promise<readonly EntryPayload[]>;

const COOL_DOWN_MS = 1000;

export type TryAppendDependencies = {
  readonly append: AppendEntries;
  readonly failures: AppendFailures;
  /** Monotonic clock. */
  readonly nowMs: () => number;
};

export function createTryAppend(dependencies: TryAppendDependencies): TryAppend {
  const { append, failures, nowMs } = dependencies;
  let retryAtMs = Number.NEGATIVE_INFINITY;
  let isDown = false;
  return async (payloads) => {
    if (isDown && nowMs() < retryAtMs) {
      failures.inc({ reason: 'cool-down' });
      return payloads;
    }
    // The next caller waits its turn even while this one still tries.
    if (isDown) retryAtMs = nowMs() + COOL_DOWN_MS;
    try {
      const { left } = await append(payloads);
      isDown = false;
      if (left.length > 0) failures.inc({ reason: 'full' });
      return left;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      isDown = true;
      retryAtMs = nowMs() + COOL_DOWN_MS;
      failures.inc({ reason: error instanceof Failure ? error.code : 'unavailable' });
      return payloads;
    }
  };
}
