/** Entries in the hands of a consumer, and what they hold, for tests of pure parts. */
import type { Transaction } from '../../../src/domain/transaction.ts';
import type { EntryPayload } from '../../../src/stream/entry.ts';
import { streamKeys } from '../../../src/stream/keys.ts';
import type { StreamEntry } from '../../../src/stream/read-group.ts';
import type { HeldEntry, Item } from '../../../src/worker/item.ts';

export const stream = streamKeys('m', 'US-EG', 0);

export function entryOf(id: string, transactions = 1): StreamEntry {
  const fields = { version: '2', head: '1 ingest 0 ', packed: Buffer.alloc(0) };
  return { id, transactions, ...fields, deleted: false, deliveries: 1, carried: 0 };
}

export function held(...ids: string[]): HeldEntry[] {
  return ids.map((id) => ({ stream, consumer: 'c-1', entry: entryOf(id) }));
}

/** Transactions `ID/0`, `ID/1`, … of an entry. */
export function itemsOf(one: HeldEntry): Item[] {
  return Array.from({ length: one.entry.transactions }, (_, n) => ({
    ...one,
    payload: payloadOf(`${one.entry.id}/${n}`),
  }));
}

function payloadOf(transactionId: string): EntryPayload {
  const transaction: Transaction = {
    ...{ transactionId, createdAtMs: 0, receivedAtMs: 0, accountId: 'acc', merchantId: 'm' },
    ...{ amount: '1.00', currency: 'USD', corridor: 'US-EG' },
    ...{ type: null, ip: null, deviceId: null, country: null, channel: null },
  };
  return { transaction, attempt: 1, origin: 'ingest', replyTo: null };
}
