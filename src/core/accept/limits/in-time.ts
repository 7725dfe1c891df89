import { answerWithin } from '../../../kit/process/settles-within.ts';

/** Redis answers in under a millisecond; a request waits at most this long before its process goes on without Redis. */
const FETCH_MS_MAX = 250;

/** Undefined where Redis fails or is silent. */
export const inTime = <T>(call: Promise<T>): Promise<T | undefined> =>
  answerWithin(call, FETCH_MS_MAX).catch(() => undefined);
