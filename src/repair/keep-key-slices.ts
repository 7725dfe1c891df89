/**
 * Maintains the slices of idempotency keys: seals the open one once it is large or old enough, and drops those
 * whose youngest key is older than the retention.
 */
import type { Slice } from '../store/idempotency-keys/key-slice-rows.ts';

/** About 2 million keys: the index that claims write to, of 90 MB, stays in memory, and a checkpoint finds it small. */
export const SLICE_BYTES = 170_000_000;
/** A share of all keys, where that is more than the bound above: it bounds how many slices a lookup asks. */
export const SLICES_BY_SIZE = 32;
/** A key is kept for the retention and at most this share of it longer. */
export const SLICES_BY_AGE = 8;
const DAY_MS = 24 * 60 * 60 * 1000;

export type KeepKeySlicesDependencies = {
  /** The open slice, then the sealed ones. */
  readonly list: () => Promise<readonly Slice[]>;
  readonly seal: (slice: number) => Promise<boolean>;
  readonly drop: (slice: number, before: Date) => Promise<boolean>;
  readonly retentionDays: number;
  readonly now: () => number;
  /** Called with the existing slices, each time. */
  readonly report: (slices: readonly Slice[]) => void;
};

export async function keepKeySlices(
  { list, seal, drop, retentionDays, now, report }: KeepKeySlicesDependencies,
  signal: AbortSignal,
): Promise<void> {
  const slices = await list();
  const retentionMs = retentionDays * DAY_MS;
  const before = new Date(now() - retentionMs);
  report(slices);
  for (const { slice, sealedAt } of slices) {
    if (signal.aborted) return;
    if (sealedAt !== null && sealedAt < before) await drop(slice, before);
  }
  const open = slices.find(({ sealedAt }) => sealedAt === null);
  if (open !== undefined && isDue(open, slices, now() - retentionMs / SLICES_BY_AGE)) {
    await seal(open.slice);
  }
}

function isDue(open: Slice, slices: readonly Slice[], openedBeforeMs: number): boolean {
  if (open.bytes === 0) return false;
  const standing = slices.reduce((sum, { bytes }) => sum + bytes, 0);
  const isLarge = open.bytes >= Math.max(SLICE_BYTES, standing / SLICES_BY_SIZE);
  return isLarge || open.openedAt.getTime() < openedBeforeMs;
}
