import { Failure } from '../words/failure.ts';

/**
 * Resolves to whether a promise settles within a time, either way; the caller still awaits the promise itself. A process that is
 * late reads what has arrived before it decides, so that its own lateness is not taken for that of the answer.
 */
export async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => setImmediate(resolve, false), ms);
  const settled = promise.then(
    () => true,
    () => true,
  );
  const isInTime = await Promise.race([settled, late]);
  clearTimeout(timer);
  return isInTime;
}

/** Returns the answer. @throws Failure `CHECK_LATE` where there is none in time */
export async function answerWithin<T>(answer: Promise<T>, ms: number): Promise<T> {
  if (await settlesWithin(answer, ms)) return await answer;
  throw new Failure('unavailable', 'CHECK_LATE', `no answer within ${ms} ms`);
}
