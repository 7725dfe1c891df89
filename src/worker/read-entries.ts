/** From delivered entries to items that can be worked on; whatever cannot is decided here. Pure. */
import { Failure } from '../domain/failure.ts';
import type { EntryFields, EntryPayload } from '../stream/entry.ts';
import type { Decided, HeldEntry, Item } from './item.ts';

export type DecodeEntry = (fields: EntryFields) => EntryPayload[];

/** Deliveries after which a transaction has crashed its workers often enough to be given up. */
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
      decided.push({ ...one, payload: null, outcome: { kind: 'acknowledge', published: null } });
      continue;
    }
    try {
      const { stream, consumer } = one;
      const payloads = decode(entry);
      // One of several is divided before it comes to this: nobody is given up for a neighbour.
      const isGivenUp = entry.deliveries > DELIVERIES_MAX && payloads.length === 1;
      for (const payload of payloads) {
        const item = { stream, consumer, entry, payload };
        if (isGivenUp) decided.push(giveUp(item));
        else items.push(item);
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      decided.push({ ...one, payload: null, outcome: { kind: 'dead-letter', failure: error } });
    }
  }
  return { items, decided };
}

function giveUp(item: Item): Decided {
  const detail = `delivered ${item.entry.deliveries} times without an end: it may crash the worker`;
  const failure = new Failure('permanent', 'CRASHES_WORKER', detail);
  return { ...item, outcome: { kind: 'dead-letter', failure } };
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
