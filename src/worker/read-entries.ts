/** From delivered entries to items that can be worked on; whatever cannot is decided here. Pure. */
import { Failure } from '../domain/failure.ts';
import type { DecodedEntry, EntryFields } from '../stream/entry.ts';
import { type Decided, decide, type HeldEntry, type Item } from './item.ts';

export type DecodeEntry = (fields: EntryFields) => DecodedEntry;

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
      const outcome = { kind: 'acknowledge', published: null } as const;
      decided.push({ held: one, item: null, outcome });
      continue;
    }
    try {
      const { head, transactions } = decode(entry);
      // One of several is divided before it comes to this: nobody is given up for a neighbour.
      const isGivenUp = entry.deliveries > DELIVERIES_MAX && transactions.length === 1;
      for (const transaction of transactions) {
        const item = { held: one, head, transaction };
        if (isGivenUp) decided.push(giveUp(item));
        else items.push(item);
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const outcome = { kind: 'dead-letter', failure: error } as const;
      decided.push({ held: one, item: null, outcome });
    }
  }
  return { items, decided };
}

function giveUp(item: Item): Decided {
  const detail = `delivered ${item.held.entry.deliveries} times without an end: it may crash the worker`;
  const failure = new Failure('permanent', 'CRASHES_WORKER', detail);
  return decide(item, { kind: 'dead-letter', failure });
}

/** The first item of each transaction, and the items that repeat one of them. */
export function splitRepeated(items: readonly Item[]): {
  firsts: readonly Item[];
  others: readonly Item[];
} {
  // Nearly always all ends of ids differ, and no id need be a text, which would cost 0.2 µs a transaction.
  if (new Set(items.map(endOfId)).size === items.length) return { firsts: items, others: [] };
  const seen = new Set<string>();
  const firsts: Item[] = [];
  const others: Item[] = [];
  for (const item of items) {
    const { transactionId } = item.transaction;
    (seen.has(transactionId) ? others : firsts).push(item);
    seen.add(transactionId);
  }
  return { firsts, others };
}

/** The last six bytes of the id, which are random, as an exact number. */
function endOfId({ transaction: { rows, idAt } }: Item): number {
  return rows.view.getUint16(idAt + 10) * 2 ** 32 + rows.view.getUint32(idAt + 12);
}
