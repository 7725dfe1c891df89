/**
 * After a failure of a log one caller a second tries again. The other callers skip the attempt, as all would wait for its timeout.
 */
import { isUnavailable } from '../../kit/words/failure.ts';

const COOL_DOWN_MS = 1000;

/**
 * @param onMissed is called with the failure, or with null where the call is skipped
 * @param nowMs monotonic clock
 * @returns a function that runs a call; undefined where the call is skipped or fails for the log's sake. Other errors are thrown.
 */
export function createCoolDown(onMissed: (failure: unknown) => void, nowMs: () => number) {
  let retryAtMs: number | undefined;
  return async <Result>(call: () => Promise<Result>): Promise<Result | undefined> => {
    if (retryAtMs !== undefined && nowMs() < retryAtMs) {
      onMissed(null);
      return undefined;
    }
    // The next caller waits its turn even while this one still tries.
    if (retryAtMs !== undefined) retryAtMs = nowMs() + COOL_DOWN_MS;
    try {
      const result = await call();
      retryAtMs = undefined;
      return result;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      retryAtMs = nowMs() + COOL_DOWN_MS;
      onMissed(error);
      return undefined;
    }
  };
}
