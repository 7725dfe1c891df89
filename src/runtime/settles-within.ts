import { Failure } from '../domain/failure.ts';

/** Whether a promise settles within a time, either way; what it settled to is still the caller's to await. */
export async function settlesWithin(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, ms, false);
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
