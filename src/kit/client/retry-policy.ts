/**
 * How long a replay keeps trying: a request is repeated with growing, jittered waits (or as Retry-After says)
 * until nothing has succeeded for `outageMsMax`.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { Failure } from '../words/failure.ts';

export type RetryPolicy = {
  /** A request succeeded, so the API works. */
  succeeded(): void;
  /** Waits before the `attempt`-th repetition (from 1); throws `reason` when the outage lasts too long. */
  beforeRetry(attempt: number, retryAfterMs: number | null, reason: Failure): Promise<void>;
};

const FIRST_WAIT_MS = 100;
const WAIT_MS_MAX = 5_000;
const RETRY_AFTER_MS_MAX = 60_000;

/** Failures of the first tries are frequent and not reported. */
const REPORTED_FROM_ATTEMPT = 3;

export type RetryPolicyOptions = {
  readonly outageMsMax: number;
  readonly signal: AbortSignal;
  /** Called once per outage. */
  readonly onWaiting: (reason: string) => void;
};

export function createRetryPolicy({
  outageMsMax,
  signal,
  onWaiting,
}: RetryPolicyOptions): RetryPolicy {
  let lastSuccessMs = performance.now();
  let isReported = false;
  return {
    succeeded: () => {
      lastSuccessMs = performance.now();
      isReported = false;
    },
    async beforeRetry(attempt, retryAfterMs, reason) {
      const silentMs = performance.now() - lastSuccessMs;
      if (silentMs > outageMsMax) {
        const detail = `${reason.message}; nothing succeeded for ${Math.round(silentMs / 1000)} s`;
        throw new Failure('unavailable', reason.code, detail, { cause: reason });
      }
      if (attempt >= REPORTED_FROM_ATTEMPT && !isReported) {
        isReported = true;
        onWaiting(reason.message);
      }
      const backoffMs = Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * 2 ** Math.min(attempt - 1, 10));
      const waitMs =
        retryAfterMs === null
          ? backoffMs * (0.5 + Math.random() / 2)
          : Math.min(retryAfterMs, RETRY_AFTER_MS_MAX);
      await wait(waitMs, undefined, { signal });
    },
  };
}
