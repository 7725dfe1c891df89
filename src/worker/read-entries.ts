/** From delivered entries to items that can be worked on; whatever cannot is decided here. Pure. */
import { compareIds } from '../domain/delivered.ts';
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
export function splitRepeated(items: readonly Item[]): { firsts: readonly Item[]; others: Item[] } {
  const others = repeatsOf(items);
  if (others.length === 0) return { firsts: items, others };
  const repeated = new Set(others);
  return { firsts: items.filter((item) => !repeated.has(item)), others };
}

/** Items whose transaction an item before them has: an open-addressing table of indices, as ids are random at their end. */
function repeatsOf(items: readonly Item[]): Item[] {
  const size = 2 ** Math.ceil(Math.log2(2 * items.length + 1));
  const table = new Int32Array(size).fill(-1);
  const others: Item[] = [];
  for (let index = 0; index < items.length; index++) {
    const item = items[index] as Item;
    const { rows, idAt } = item.transaction;
    let at = rows.view.getUint32(idAt + 12) & (size - 1);
    while (table[at] !== -1 && !isSameId(item, items[table[at] as number] as Item)) {
      at = (at + 1) & (size - 1);
    }
    if (table[at] === -1) table[at] = index;
    else others.push(item);
  }
  return others;
}

function isSameId({ transaction: one }: Item, { transaction: other }: Item): boolean {
  return compareIds(one, other) === 0;
}
