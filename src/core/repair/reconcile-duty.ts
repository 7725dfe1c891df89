/** The reconciler and the slices of idempotency keys as duties of the worker that leads. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../../kit/database/pool.ts';
import type { Writes } from '../../kit/duties/leadership.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import { DAY_MS } from '../../kit/words/range.ts';
import type { Worker } from '../room.ts';
import {
  dropKeySlice,
  listKeySlices,
  type Slice,
  sealKeySlice,
} from '../store/idempotency-keys/key-slice-rows.ts';
import { isMarketOnHold } from '../store/partitions/legal-holds.ts';
import { bindReconciler, type Reconciler } from './reconcile.ts';

const RECONCILE_EVERY_MS = 1000;
/** The interval while streams are full, or rows are lost. */
const OWING_EVERY_MS = 100;
/** At 10,000 keys a second a slice is full after three minutes. */
const KEEP_SLICES_EVERY_MS = 10_000;

/** About 2 million keys: the index that claims write to, of 90 MB, stays in memory, and a checkpoint finds it small. */
export const SLICE_BYTES = 170_000_000;
/** A share of all keys, where that is more than the bound above: it bounds how many slices a lookup asks. */
const SLICES_BY_SIZE = 32;
/** A key is kept for the retention and at most this share of it longer. */
const SLICES_BY_AGE = 8;

/** Duties of a worker that do nothing while another worker leads. */
export function bindIngestDuties(worker: Worker): Duty[] {
  const { config, database, redis, leadership, metrics, kafka } = worker;
  const { reconciled, keyBytes } = metrics;
  const lead = leadership.of('repair');
  const count = (appended: number) => reconciled.inc(appended);
  const reconciler = bindReconciler(config, database, redis, count, lead.writes, kafka);
  const report = (standing: readonly Slice[]) =>
    keyBytes.set(standing.reduce((sum, { bytes }) => sum + bytes, 0));
  const days = config.RISK_IDEMPOTENCY_RETENTION_DAYS;
  return [
    {
      name: 'reconcile',
      everyMs: RECONCILE_EVERY_MS,
      run: async (signal) => {
        await lead.run(() => runWhileOwing(reconciler, signal));
      },
    },
    {
      name: 'key-slices',
      everyMs: KEEP_SLICES_EVERY_MS,
      run: async (signal) => {
        const leads = await lead.run(() =>
          tendKeySlices(database, lead.writes, days, report, signal),
        );
        // The worker that leads reports the gauge; what this worker saw last is out of date.
        if (!leads) keyBytes.set(0);
      },
    },
  ];
}

/** Keeps the lead while there is work. */
async function runWhileOwing(reconciler: Reconciler, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { full, lost, rows } = await reconciler.run(signal);
    if (signal.aborted || !(full || lost + rows > 0)) return;
    await delay(OWING_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * Maintains the slices of idempotency keys: seals the open one once it is large or old enough, and drops those
 * whose youngest key is older than the retention.
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
 * The slices that are due, by number: slices whose youngest key is older than `before`, and the open slice if it is to be sealed.
 * @param slices the open slice, then the sealed slices
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
