/** Repeats what the API does not answer now, with growing waits, until nothing has succeeded for too long. */
import { setTimeout as wait } from 'node:timers/promises';
import { Failure, isUnavailable } from '../words/failure.ts';
import { ApiUnavailable } from './api-client.ts';

/** Resolves to the value of the first try that succeeds; a try calls `progressed` where a part of it has. */
export type Retries = <T>(attempt: (progressed: () => void) => Promise<T>) => Promise<T>;

export type RetryOptions = {
  readonly outageMsMax: number;
  readonly signal: AbortSignal;
  /** Called once an outage. */
  readonly onWaiting: (reason: string) => void;
};

const FIRST_WAIT_MS = 100;
const WAIT_MS_MAX = 5_000;
const RETRY_AFTER_MS_MAX = 60_000;

/** First tries fail often and are not reported. */
const REPORTED_FROM_TRY = 3;

export function createRetries({ outageMsMax, signal, onWaiting }: RetryOptions): Retries {
  let lastSuccessMs = performance.now();
  let isReported = false;
  const succeeded = () => {
    lastSuccessMs = performance.now();
    isReported = false;
  };
  return async (attempt) => {
    for (let tries = 1; ; tries++) {
      try {
        const value = await attempt(() => {
          succeeded();
          tries = 1;
        });
        succeeded();
        return value;
      } catch (error) {
        if (!(error instanceof Failure) || !isUnavailable(error)) throw error;
        const silentMs = performance.now() - lastSuccessMs;
        if (silentMs > outageMsMax) {
          const why = `${error.message}; nothing succeeded for ${Math.round(silentMs / 1000)} s`;
          throw new Failure('unavailable', error.code, why, { cause: error });
        }
        if (tries >= REPORTED_FROM_TRY && !isReported) {
          isReported = true;
          onWaiting(error.message);
        }
        await wait(waitMs(tries, error), undefined, { signal });
      }
    }
  };
}

/** As Retry-After says; else twice the wait before, with jitter. */
function waitMs(tries: number, error: Failure): number {
  if (error instanceof ApiUnavailable && error.retryAfterMs !== null) {
    return Math.min(error.retryAfterMs, RETRY_AFTER_MS_MAX);
  }
  const backoffMs = Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * 2 ** Math.min(tries - 1, 10));
  return backoffMs * (0.5 + Math.random() / 2);
}
