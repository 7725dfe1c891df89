/**
 * Maintains the slices of idempotency keys: seals the open one once it is large or old enough, and drops those
 * whose youngest key is older than the retention.
 */
import type { Database } from '../../kit/database/pool.ts';
import type { Writes } from '../../kit/duties/leadership.ts';
import {
  dropKeySlice,
  listKeySlices,
  type Slice,
  sealKeySlice,
} from '../store/idempotency-keys/key-slice-rows.ts';
import { isMarketOnHold } from '../store/partitions/legal-holds.ts';

/** About 2 million keys: the index that claims write to, of 90 MB, stays in memory, and a checkpoint finds it small. */
export const SLICE_BYTES = 170_000_000;
/** A share of all keys, where that is more than the bound above: it bounds how many slices a lookup asks. */
const SLICES_BY_SIZE = 32;
/** A key is kept for the retention and at most this share of it longer. */
const SLICES_BY_AGE = 8;
const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * @param writes those of the leader
 * @param report called with the existing slices, each time
 */
export async function tendKeySlices(
  { query }: Pick<Database, 'query'>,
  writes: Writes,
  retentionDays: number,
  report: (slices: readonly Slice[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const slices = await listKeySlices(query);
  report(slices);
  const { expired, before, full } = planKeySlices(slices, retentionDays, Date.now());
  const isKept = expired.length > 0 && (await isMarketOnHold(query));
  for (const slice of isKept ? [] : expired) {
    if (signal.aborted) return;
    await dropKeySlice(writes, slice, before);
  }
  if (full !== undefined && !signal.aborted) await sealKeySlice(writes, full);
}

/**
 * The slices that are due, by number: those whose youngest key is older than `before`, and the open one if it is to be sealed.
 * @param slices the open slice, then the sealed ones
 */
export function planKeySlices(slices: readonly Slice[], retentionDays: number, nowMs: number) {
  const retentionMs = retentionDays * DAY_MS;
  const before = new Date(nowMs - retentionMs);
  const expired = slices.filter(({ sealedAt }) => sealedAt !== null && sealedAt < before);
  const open = slices.find(({ sealedAt }) => sealedAt === null);
  const isFull = open !== undefined && isDue(open, slices, nowMs - retentionMs / SLICES_BY_AGE);
  return {
    expired: expired.map(({ slice }) => slice),
    before,
    full: isFull ? open.slice : undefined,
  };
}

function isDue(open: Slice, slices: readonly Slice[], openedBeforeMs: number): boolean {
  if (open.bytes === 0) return false;
  const standing = slices.reduce((sum, { bytes }) => sum + bytes, 0);
  const isLarge = open.bytes >= Math.max(SLICE_BYTES, standing / SLICES_BY_SIZE);
  return isLarge || open.openedAt.getTime() < openedBeforeMs;
}
