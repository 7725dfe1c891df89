/** Parts that all tests of a file share. */
import { afterAll } from 'vitest';
import { answerWithin } from '../../src/kit/process/settles-within.ts';

/** Shorter: a busy machine fails tests; longer: a set-up that hangs holds the whole run. */
const OPENED_MS_MAX = 180_000;

/** Opens it where the file is read, and closes it after the last test, in the opposite order of opening. */
export async function openForFile<T extends AsyncDisposable>(opening: T | Promise<T>): Promise<T> {
  const opened = await answerWithin(Promise.resolve(opening), OPENED_MS_MAX);
  afterAll(() => opened[Symbol.asyncDispose]());
  return opened;
}
