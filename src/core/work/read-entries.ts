/** Turns delivered entries into items; entries that cannot be processed are decided here. Pure. */
import { Failure } from '../../kit/words/failure.ts';
import type { EntryReader } from '../stream/group/versions.ts';
import { type Decided, decide, type HeldEntry, type Item } from './item.ts';
import { DELIVERIES_MAX } from './retry-policy.ts';

/** The version of some release; an entry without one is malformed. */
const VERSION = /^[1-9]\d{0,3}$/;

export type ReadEntries = {
  readonly items: Item[];
  readonly decided: Decided[];
  /** Entries of versions that are for other workers to read. Nearly always none. */
  readonly unread: HeldEntry[];
};

/** Decodes; what cannot be read, is gone, or has crashed too many workers is decided at once. */
export function readEntries(
  { versions, decode, identify }: EntryReader,
  held: readonly HeldEntry[],
): ReadEntries {
  const items: Item[] = [];
  const decided: Decided[] = [];
  const unread: HeldEntry[] = [];
  for (const one of held) {
    const { entry } = one;
    const version = entry.version ?? '';
    if (!versions.includes(version) && VERSION.test(version)) {
      unread.push(one);
      continue;
    }
    if (entry.deleted) {
      const outcome = { kind: 'acknowledge', published: null } as const;
      decided.push({ held: one, item: null, outcome });
      continue;
    }
    try {
      const { head, transactions } = decode(entry);
      // An entry of several transactions is divided before this, so no transaction is given up for a neighbour.
      const isGivenUp = entry.deliveries > DELIVERIES_MAX && transactions.length === 1;
      for (const transaction of transactions) {
        const item = { held: one, head, transaction };
        if (isGivenUp) decided.push(giveUp(item));
        else items.push(item);
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      decided.push(...giveUpUnreadable(one, error, identify));
    }
  }
  return { items, decided, unread };
}

/** A dead letter for each transaction that can be told, and one without where there may be others. */
function giveUpUnreadable(
  held: HeldEntry,
  failure: Failure,
  identify: EntryReader['identify'],
): Decided[] {
  const outcome = { kind: 'dead-letter', failure } as const;
  const { packed, transactions } = held.entry;
  const ids = new Set(packed === null ? [] : identify(packed));
  const known = [...ids].map((transactionId) => ({
    ...{ held, item: null },
    outcome: { ...outcome, transactionId },
  }));
  return ids.size === transactions ? known : [...known, { held, item: null, outcome }];
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
