/** Forgets idempotency keys after their retention, a page at a time, so that no lock or transaction is long. */
import { setTimeout as delay } from 'node:timers/promises';

const PAGE_ROWS = 2000;
const PAUSE_MS = 50;
const PAGES_MAX = 500;
const DAY_MS = 24 * 60 * 60 * 1000;

export type PurgeDependencies = {
  readonly purge: (before: Date, rowsMax: number) => Promise<number>;
  readonly retentionDays: number;
  readonly now: () => number;
};

/** Returns how many keys were forgotten; stops after a bounded number of pages or at the signal. */
export async function purgeIdempotencyKeys(
  { purge, retentionDays, now }: PurgeDependencies,
  signal: AbortSignal,
): Promise<number> {
  const before = new Date(now() - retentionDays * DAY_MS);
  let purged = 0;
  for (let pages = 0; pages < PAGES_MAX && !signal.aborted; pages++) {
    const rows = await purge(before, PAGE_ROWS);
    purged += rows;
    if (rows < PAGE_ROWS) break;
    await delay(PAUSE_MS);
  }
  return purged;
}
