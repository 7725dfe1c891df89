/** The end of dead letters whose transaction was scored after all, as a duty of one worker. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../../kit/database/pool.ts';
import type { Leadership } from '../../kit/duties/leadership.ts';
import {
  closeDeadLettersOfScored,
  listDeadLettersOfScored,
  type ScoredLettersPage,
} from '../store/dead-letters/dead-letters.ts';

/** A check is one probe of an empty index where no dead letter is open, which is usual. */
const CLOSE_EVERY_MS = 10_000;

/** The pause between pages: a faulty release may leave a million open, and reading them must not keep Postgres from new work. */
const PAGE_EVERY_MS = 100;

export function bindDeadLetters(database: Pick<Database, 'query'>, leadership: Leadership) {
  const lead = leadership.of('repair');
  const list = (after?: string) => listDeadLettersOfScored(database, after);
  const close = (transactionIds: readonly string[]) =>
    closeDeadLettersOfScored(lead.writes, transactionIds);
  return {
    name: 'close-dead-letters',
    everyMs: CLOSE_EVERY_MS,
    run: async (signal: AbortSignal) => {
      await lead.run(() => closeScoredLetters(list, close, signal));
    },
  };
}

/**
 * Closes the dead letters of transactions that were scored after all: by a worker that was taken for dead, or
 * from an entry that came back with an older state of Redis. A worker that stores a score does not check dead
 * letters, and one that stores a dead letter does not see a score that commits meanwhile, so all open dead
 * letters are checked periodically.
 * @param listDeadLettersOfScored a page of all open dead letters; the first one where `after` is absent
 */
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
