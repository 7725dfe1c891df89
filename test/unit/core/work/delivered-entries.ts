/** Entries delivered to a consumer, with their transactions, for tests of pure parts. */
import { ENTRY_VERSION } from '../../../../src/core/stream/entries/entry.ts';
import type { EntryOrigin } from '../../../../src/core/stream/entries/entry-head.ts';
import type { StreamEntry } from '../../../../src/core/stream/group/read-group.ts';
import { type StreamKeys, streamKeys } from '../../../../src/core/stream/keys.ts';
import type { EntryTransaction } from '../../../../src/core/work/decided.ts';
import { deliver } from '../../../support/delivered.ts';
import { idAt } from '../../../support/stored-rows.ts';

const AT_MS = Date.UTC(2026, 10);

export const stream = streamKeys('m', 'US-EG', 0);

export function entryOf(
  id: string,
  transactions = 1,
  of: StreamKeys = stream,
  origin: EntryOrigin = 'ingest',
): StreamEntry {
  const head = `attempt=1 origin=${origin}`;
  const fields = { version: ENTRY_VERSION, head, packed: Buffer.alloc(0) };
  const owned = { id, stream: of, consumer: 'c-1', transactions };
  return { ...owned, ...fields, deleted: false, deliveries: 1, carried: 0 };
}

/** Transactions of an entry, by accounts `ID/0`, `ID/1`, … */
export function transactionsOf(entry: StreamEntry, atMs = AT_MS): EntryTransaction[] {
  const transactions = Array.from({ length: entry.transactions }, (_, n) => ({
    ...{ transactionId: idAt(atMs, n), createdAtMs: atMs, accountId: `${entry.id}/${n}` },
  }));
  const head = { attempt: 1, origin: 'ingest', replyTo: null, rowId: null } as const;
  return deliver(transactions).map((transaction) => ({ entry, head, transaction }));
}
