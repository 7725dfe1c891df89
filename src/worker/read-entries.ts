/** From delivered entries to items that can be worked on; whatever cannot is decided here. Pure. */
import { Failure } from '../domain/failure.ts';
import type { EntryPayload } from '../stream/entry.ts';
import type { Decided, HeldEntry, Item } from './item.ts';

export type DecodeEntry = (version: string | null, packed: string | null) => EntryPayload;

/** Deliveries after which an entry has crashed its workers often enough to be given up. */
export const DELIVERIES_MAX = 5;

/** Decodes; what cannot be read, is gone, or has crashed too many workers is decided at once. */
export function readEntries(
  decode: DecodeEntry,
  held: readonly HeldEntry[],
): { items: Item[]; decided: Decided[] } {
  const items: Item[] = [];
  const decided: Decided[] = [];
  for (const one of held) {
    const { entry } = one;
    if (entry.deleted) {
      decided.push({ ...one, payload: null, outcome: { kind: 'acknowledge', event: null } });
      continue;
    }
    try {
      const { stream, consumer } = one;
      const item = { stream, consumer, entry, payload: decode(entry.version, entry.packed) };
      if (entry.deliveries <= DELIVERIES_MAX) items.push(item);
      else
        decided.push({
          ...item,
          outcome: { kind: 'dead-letter', failure: crashes(entry.deliveries) },
        });
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      decided.push({ ...one, payload: null, outcome: { kind: 'dead-letter', failure: error } });
    }
  }
  return { items, decided };
}

function crashes(deliveries: number): Failure {
  const detail = `delivered ${deliveries} times without an end: it may crash the worker`;
  return new Failure('permanent', 'CRASHES_WORKER', detail);
}

/** The first item of each transaction, and the items that repeat one of them. */
export function splitRepeated(items: readonly Item[]): { firsts: Item[]; others: Item[] } {
  const seen = new Set<string>();
  const firsts: Item[] = [];
  const others: Item[] = [];
  for (const item of items) {
    const { transactionId } = item.payload.transaction;
    (seen.has(transactionId) ? others : firsts).push(item);
    seen.add(transactionId);
  }
  return { firsts, others };
}
