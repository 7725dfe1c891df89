/** Whether a piece of work has committed a change: it cannot be done again as if nothing had happened. */
import { AsyncLocalStorage } from 'node:async_hooks';

export type Commits = { hasChanged: boolean };

const noted = new AsyncLocalStorage<Commits | undefined>();

/** Runs the work, during which `commits` learns of each change that any pool commits for it. */
export const noteCommits = <T>(commits: Commits, work: () => Promise<T>): Promise<T> =>
  noted.run(commits, work);

/** Runs work whose commits change nothing that anybody sees, so that a refusal behind it still frees an idempotency key. */
export const unnoted = <T>(work: () => Promise<T>): Promise<T> => noted.run(undefined, work);

/** The notes of the work under way; undefined where nobody asked. */
export const notedCommits = (): Commits | undefined => noted.getStore();
