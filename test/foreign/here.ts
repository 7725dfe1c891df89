import type { TestContext } from 'vitest';
import { NotRun } from '../chaos/support/not-run.ts';

/** Skips a test whose program cannot be had here, and says why. */
export async function here<T>({ skip }: TestContext, opening: Promise<T>): Promise<T> {
  return await opening.catch((error: unknown) => {
    if (error instanceof NotRun) skip(error.message);
    throw error;
  });
}
