/**
 * Closes the dead letters of transactions that were scored after all: by a worker that was taken for dead, or
 * from an entry that came back with an older state of Redis. A worker that stores a score does not check dead
 * letters, and one that stores a dead letter does not see a score that commits meanwhile, so all open dead
 * letters are checked periodically.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { ScoredLettersPage } from '../store/dead-letters/dead-letters.ts';

/** The pause between pages: a faulty release may leave a million open, and reading them must not keep Postgres from new work. */
const PAGE_EVERY_MS = 100;

/** @param listDeadLettersOfScored a page of all open dead letters; the first one where `after` is absent */
export async function closeScoredLetters(
  listDeadLettersOfScored: (after?: string) => Promise<ScoredLettersPage>,
  closeDeadLettersOfScored: (transactionIds: readonly string[]) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  let after: string | undefined;
  while (!signal.aborted) {
    const { transactionIds, next } = await listDeadLettersOfScored(after);
    await closeDeadLettersOfScored(transactionIds);
    if (next === null) return;
    after = next;
    await delay(PAGE_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
