/**
 * Reads the next batches for free readers. One reader of a process reads at a time, so batches are folded in
 * the order in which they were read, while earlier ones are stored and settled. A batch takes all that is
 * there: it grows with the work before it, from one transaction to the bound. The more transactions a worker
 * holds, the more batches are in flight; after a small batch the next read waits a moment.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Delivery } from '../stream/group/read-group.ts';
import type { StreamKeys } from '../stream/keys.ts';
import type { InFlight } from './in-flight.ts';
import type { HeldEntry } from './item.ts';
import type { Pause } from './pause.ts';
import { shareBatch } from './share-batch.ts';

export type HeldBatch = { readonly held: readonly HeldEntry[]; readonly letGo: () => void };

export type Intake = {
  /** Waits for the turn and for room, then reads; nothing when the worker stops. */
  readonly next: (
    consumer: string,
    read: () => Promise<readonly Delivery[]>,
  ) => Promise<readonly HeldBatch[]>;
  /** The streams in the order of the next read, so that each is first in its turn. */
  readonly inTurn: (streams: readonly StreamKeys[]) => StreamKeys[];
  /** Transactions of each stream that the next batch should have. */
  readonly sharesOf: (streams: readonly StreamKeys[]) => number[];
};

/** Pause after a read of fewer transactions than this: the fixed cost of a batch is most of such a one. */
const SMALL_BATCH = 64;
const SMALL_BATCH_PACE_MS = 8;

/**
 * @param bounds `batchTransactions` of a batch, which its last entry may exceed, and as many batches in flight as
 * there are readers once they hold a whole batch
 */
export function createIntake(
  bounds: { readonly batchTransactions: number; readonly readers: number },
  inFlight: InFlight,
  pause: Pause,
  signal: AbortSignal,
): Intake {
  const { batchTransactions, readers: batchesMax } = bounds;
  const oneReader = pLimit(1);
  /** Transactions of streams that brought all they were asked for. */
  const backlogs = new Map<StreamKeys, number>();
  let asked = new Map<StreamKeys, number>();
  let batchesInFlight = 1;
  /** Ends when the next batch may be read. */
  let pace: Promise<void> = Promise.resolve();
  let turn = 0;
  const note = (deliveries: readonly Delivery[]) => {
    backlogs.clear();
    let found = 0;
    for (const { stream, entries, held } of deliveries) {
      const transactions = countTransactions(entries);
      found += transactions;
      if (transactions >= (asked.get(stream) ?? 1)) {
        backlogs.set(stream, Math.max(held, transactions));
      }
    }
    // All that is held counts: halves of a batch are as much work as a whole one.
    const batchesHeld = (found + inFlight.transactions()) / batchTransactions;
    batchesInFlight = Math.floor(Math.min(1, batchesHeld) * batchesMax);
    if (found > 0 && found < SMALL_BATCH) pace = sleep(SMALL_BATCH_PACE_MS);
  };
  return {
    next: (consumer, read) =>
      oneReader(async () => {
        // Two small batches cost more per transaction and end later than one (p50 of 89 ms for 70 at 5,000 a second);
        // one large one ends later than several small ones (92 to 120 ms for 52 and 57 at 12,000).
        await inFlight.below(Math.max(1, batchesInFlight));
        await pace;
        await pause.over();
        if (signal.aborted) return [];
        const deliveries = await read();
        note(deliveries);
        // All batches are held before the first is processed, so that a waiting one does not look abandoned.
        return toBatches(deliveries, consumer, batchTransactions).map((held) => ({
          held,
          letGo: inFlight.hold(held),
        }));
      }),
    inTurn(streams) {
      turn = (turn + 1) % Math.max(1, streams.length);
      return [...streams.slice(turn), ...streams.slice(0, turn)];
    },
    sharesOf(streams) {
      const known = streams.map((stream) => backlogs.get(stream) ?? 0);
      const shares = shareBatch(known, batchTransactions);
      asked = new Map(streams.map((stream, index) => [stream, shares[index] ?? 1]));
      return shares;
    },
  };
}

function countTransactions(entries: Delivery['entries']): number {
  return entries.reduce((sum, { transactions }) => sum + transactions, 0);
}

/**
 * Cuts between entries, where a wait ended with entries of several streams at once; otherwise there is one
 * batch.
 */
function toBatches(
  deliveries: readonly Delivery[],
  consumer: string,
  batchTransactions: number,
): HeldEntry[][] {
  const batches: HeldEntry[][] = [];
  let room = 0;
  for (const { stream, entries } of deliveries) {
    for (const entry of entries) {
      if (room <= 0) {
        batches.push([]);
        room = batchTransactions;
      }
      batches.at(-1)?.push({ stream, consumer, entry });
      room -= entry.transactions;
    }
  }
  return batches;
}
