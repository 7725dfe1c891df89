/**
 * Takes over entries whose consumer has left them alone: a crashed worker's, or one that hangs. Each
 * claim counts as a delivery, so no more is claimed than is worked on at once. The cursor of each stream
 * is kept from call to call, so a long pending list is walked, not searched again.
 *
 * Several transactions in one entry that was delivered often go on as entries of one: only what crashes its
 * workers then meets its end by it.
 *
 * What could not be settled is not claimed, as that would hold an outage of its corridor against it.
 */
import { Failure } from '../domain/failure.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { GroupDuties } from '../stream/consumer-group.ts';
import type { StreamKeys } from '../stream/keys.ts';
import type { StreamEntry } from '../stream/read-group.ts';
import type { InFlight } from './in-flight.ts';
import type { HeldEntry } from './item.ts';
import type { BatchSteps } from './process-batch.ts';
import type { EnsureGroups, ReaderOptions } from './reader.ts';
import type { RunUnit } from './run-unit.ts';

export type ReclaimOptions = {
  readonly consumer: string;
  readonly streams: () => readonly StreamKeys[];
  readonly claim: GroupDuties['claim'];
  readonly prove: ReaderOptions['prove'];
  readonly guardOf: ReaderOptions['guardOf'];
  readonly isOfOneStream: ReaderOptions['isOfOneStream'];
  readonly ensureGroups: EnsureGroups;
  readonly isGroupMissing: (failure: Failure) => boolean;
  readonly inFlight: InFlight;
  /** Batches in flight beyond which nothing is claimed. */
  readonly batchesMax: number;
  readonly runUnit: RunUnit;
  readonly divide: BatchSteps['divide'];
  readonly metrics: Metrics;
  readonly log: Log;
  readonly idleMs: number;
};

/** Transactions of one claim; with CLAIMS_MAX it bounds what one call does for a stream. */
const CLAIM_TRANSACTIONS = 250;
const CLAIMS_MAX = 100;
/** Cursor of a claim that begins, or has come round. */
const START = '-';

/** One call claims what is stale in every stream, and returns when that is settled. */
export function createReclaim(options: ReclaimOptions): (signal: AbortSignal) => Promise<void> {
  const cursors = new Map<string, string>();
  return async (signal) => {
    for (const stream of options.streams()) {
      for (let claims = 0; claims < CLAIMS_MAX; claims++) {
        await options.inFlight.below(options.batchesMax);
        if (signal.aborted) return;
        const cursor = cursors.get(stream.transactions) ?? START;
        const next = await claimOnce(options, stream, cursor);
        cursors.set(stream.transactions, next);
        if (next === START) break;
      }
    }
  };
}

/** Returns the cursor of the next claim. */
async function claimOnce(
  options: ReclaimOptions,
  stream: StreamKeys,
  cursor: string,
): Promise<string> {
  const { consumer, idleMs, inFlight, metrics, log } = options;
  try {
    const claimed = await options.guardOf(stream.corridor)(async () => {
      await options.prove(stream);
      return await options.claim({
        ...{ stream: stream.transactions, consumer, idleMs, cursor },
        transactionsMax: CLAIM_TRANSACTIONS,
      });
    });
    const ours = inFlight.idsOf(stream.transactions);
    const toHeld = (entries: readonly StreamEntry[]) =>
      entries.filter(({ id }) => !ours.has(id)).map((entry) => ({ stream, consumer, entry }));
    const [held, suspects] = [toHeld(claimed.entries), toHeld(claimed.suspects)];
    if (held.length + suspects.length > 0) {
      metrics.claimed.inc(held.length + suspects.length);
      const counts = { entries: held.length, divided: suspects.length };
      log.info({ stream: stream.transactions, ...counts }, 'claimed stale entries');
    }
    if (suspects.length > 0) await options.divide(suspects);
    if (held.length > 0) await runHeld(options, held);
    return claimed.cursor;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (options.isGroupMissing(error)) await options.ensureGroups([stream.transactions]);
    // Of a corridor in trouble its breaker tells; the others' entries are claimed all the same.
    else if (!options.isOfOneStream(error)) throw error;
    return START;
  }
}

async function runHeld(
  { inFlight, runUnit }: ReclaimOptions,
  held: readonly HeldEntry[],
): Promise<void> {
  const letGo = inFlight.hold(held);
  try {
    await runUnit(held);
  } finally {
    letGo();
  }
}
