/**
 * The batches that this process works on: their number is bounded, no entry is taken twice, and the idle time of entries is
 * reset while their batch takes long.
 */
import type { StreamEntry } from '../stream/group/read-group.ts';

/** Entries that are worked on together; `end` is called once they are settled, or left to others. */
export type Batch = { readonly entries: readonly StreamEntry[]; readonly end: () => void };

/** Batches of one lane; another lane has bounds of its own. */
export type LaneInFlight = ReturnType<InFlight['lane']>;

export type InFlight = ReturnType<typeof createInFlight>;

export function createInFlight(signal: AbortSignal, elapsedMs: () => number) {
  const batches = new Map<readonly StreamEntry[], number>();
  let changed = Promise.withResolvers<void>();
  const change = () => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  signal.addEventListener('abort', change, { once: true });
  const lane = () => {
    const own = new Set<readonly StreamEntry[]>();
    return {
      begin(entries: readonly StreamEntry[]): Batch {
        batches.set(entries, elapsedMs());
        own.add(entries);
        const end = () => {
          batches.delete(entries);
          own.delete(entries);
          change();
        };
        return { entries, end };
      },
      transactions() {
        let sum = 0;
        for (const batch of own) for (const { transactions } of batch) sum += transactions;
        return sum;
      },
      /** Resolves once fewer than `batchesMax` batches are in flight, or the worker stops. */
      async below(batchesMax: number) {
        while (own.size >= batchesMax && !signal.aborted) await changed.promise;
      },
    };
  };
  return {
    ...lane(),
    lane,
    /** Ids of a stream's entries; collected on request, as only claims and drains need them. */
    idsOf(stream: string): Set<string> {
      const ofStream = [...batches.keys()]
        .flat()
        .filter((entry) => entry.stream.transactions === stream);
      return new Set(ofStream.map(({ id }) => id));
    },
    /** Entries of batches that began longer ago than `ageMs`, by stream and consumer. */
    olderThan(ageMs: number) {
      const nowMs = elapsedMs();
      const old = [...batches].flatMap(([batch, since]) => (nowMs - since >= ageMs ? batch : []));
      const groups = Map.groupBy(old, (entry) => `${entry.stream.transactions} ${entry.consumer}`);
      return Array.from(groups.values(), (entries) => {
        const { stream, consumer } = entries[0] as StreamEntry;
        return { stream: stream.transactions, consumer, ids: entries.map(({ id }) => id) };
      });
    },
    async drained(): Promise<void> {
      while (batches.size > 0) await changed.promise;
    },
  };
}
