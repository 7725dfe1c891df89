/** Entries held by a consumer, with their transactions, for tests of pure parts. */
import type { StreamEntry } from '../../../../src/core/stream/group/read-group.ts';
import { streamKeys } from '../../../../src/core/stream/keys.ts';
import type { HeldEntry, Item } from '../../../../src/core/work/item.ts';
import { deliver } from '../../../support/delivered.ts';
import { idAt } from '../../../support/stored-rows.ts';

const AT_MS = Date.UTC(2026, 10);

export const stream = streamKeys('m', 'US-EG', 0);

export function entryOf(id: string, transactions = 1): StreamEntry {
  const fields = { version: '2', head: '1 ingest 0 ', packed: Buffer.alloc(0) };
  return { id, transactions, ...fields, deleted: false, deliveries: 1, carried: 0 };
}

export function held(...ids: string[]): HeldEntry[] {
  return ids.map((id) => ({ stream, consumer: 'c-1', entry: entryOf(id) }));
}

/** Transactions of an entry, by accounts `ID/0`, `ID/1`, … */
export function itemsOf(one: HeldEntry): Item[] {
  return itemsAt(one, AT_MS);
}

/** The same, made at a time. */
export function itemsAt(one: HeldEntry, atMs: number): Item[] {
  const transactions = Array.from({ length: one.entry.transactions }, (_, n) => ({
    ...{ transactionId: idAt(atMs, n), createdAtMs: atMs, accountId: `${one.entry.id}/${n}` },
  }));
  const head = { attempt: 1, origin: 'ingest', replyTo: null, rowId: null } as const;
  return deliver(transactions).map((transaction) => ({ held: one, head, transaction }));
}
