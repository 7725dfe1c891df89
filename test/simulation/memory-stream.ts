/** A stream of the simulation, with callbacks for the checks. */
import type { PackedEntry } from '../../src/core/stream/entries/entry.ts';
import { readIds as readEntryIds } from '../../src/core/stream/entries/entry.ts';
import { Failure } from '../../src/kit/words/failure.ts';

export type Pending = {
  readonly consumer: string;
  readonly sinceMs: number;
  readonly deliveries: number;
};
export type Group = { lastDelivered: number; readonly pending: Map<number, Pending> };
export type Retry = { readonly entry: PackedEntry; readonly dueMs: number };
export type Stream = {
  readonly entries: Map<number, PackedEntry>;
  group: Group | null;
  readonly retries: Map<string, Retry>;
};

export type Ended = 'acknowledged' | 'retry' | 'dead' | 'released' | 'divided';

/** The columns that the checks look at of a row of an event. */
export type EventRow = {
  readonly transactionId: string;
  readonly score: number;
  readonly verdict: string;
};

/** Receives the steps that the checks look at as they happen. */
export type StreamObserver = {
  readonly delivered: (transactionIds: readonly string[], deliveries: number) => void;
  /** Outcome of a transaction; undefined where its entry had left the stream before. */
  readonly ended: (transactionId: string | undefined, outcome: Ended) => void;
  readonly scored: (published: EventRow, entryId: string) => void;
};

/** Guards that a test takes out to see the simulation go red. */
export type StreamGuards = { readonly ownerCheck: boolean };

const idsOfPacked = new WeakMap<Buffer, readonly string[]>();

/** Ids of an entry's transactions; none where the entry cannot be read. */
export function transactionIdsOf({ packed }: Pick<PackedEntry, 'packed'>): readonly string[] {
  let ids = idsOfPacked.get(packed);
  if (ids === undefined) {
    ids = readIds(packed);
    idsOfPacked.set(packed, ids);
  }
  return ids;
}

function readIds(packed: Buffer): string[] {
  try {
    return readEntryIds(packed);
  } catch (error) {
    if (error instanceof Failure) return [];
    throw error;
  }
}

export const idOf = (id: string) => Number.parseInt(id, 10);

export function remove({ entries, group }: Stream, entryId: string): void {
  group?.pending.delete(idOf(entryId));
  entries.delete(idOf(entryId));
}
