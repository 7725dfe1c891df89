/**
 * Appends rows that are not in their streams: their append failed, a stream was full, or they were lost. Each stream gets the
 * oldest first, as much as it has room for, so that a full one delays no other.
 */
import type { OpenRow } from '../domain/open-row.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { LeftQueue } from '../store/open-rows/lost-rows.ts';
import type { EntryPayload } from '../stream/entries/entry.ts';
import type { Producer } from '../stream/entries/producer.ts';
import { SHARDS_MAX, type ShardsOf, type StreamKeys } from '../stream/keys.ts';
import { type RowStore, takeFinal } from './row-store.ts';

/** Transactions of one round, about 2 MB once loaded; and rows of a queue, as a row may hold one transaction. */
const ROUND_TRANSACTIONS_MAX = 5000;

type Round = {
  readonly store: RowStore;
  readonly append: Producer['append'];
  readonly corridors: readonly string[];
  /** Streams that each corridor has now. */
  readonly shardsOf: ShardsOf;
  /** Transactions that a stream has room for; 0 where one that was full has too little to continue. */
  readonly roomOf: (stream: Pick<StreamKeys, 'corridor' | 'shard'>) => number;
};

export type Fed = {
  /** Rows that are in their streams now, or wait for something else. */
  readonly rows: number;
  readonly appended: number;
  /** Whether there were rows for streams without room. */
  readonly isFull: boolean;
};

export async function feedRows(round: Round): Promise<Fed> {
  const { store, append } = round;
  const rooms = roomsOf(round);
  // A single row tells that a full stream is owed entries.
  const queues = [...rooms].map(([queue, room]) => ({ ...queue, transactionsMax: room || 1 }));
  const left = await store.listLeft(queues, ROUND_TRANSACTIONS_MAX);
  const full = new Set([...rooms].flatMap(([queue, room]) => (room === 0 ? nameOf(queue) : [])));
  const rows = firstOf(left.filter((row) => !full.has(nameOf(row))));
  const isFull = rows.length < left.length;
  if (rows.length === 0) return { rows: 0, appended: 0, isFull };
  const ids = rows.flatMap(({ transactionIds }) => transactionIds);
  const unscored = await store.loadUnscored(ids);
  const loaded = new Map(unscored.map((one) => [one.transactionId, one]));
  const payloads = rows.flatMap(({ rowId, transactionIds }) =>
    transactionIds.flatMap((id) => toPayload(rowId, loaded.get(id))),
  );
  const result = await append(payloads);
  const refused = new Set(result.left.map(({ rowId }) => rowId));
  const done = rows.flatMap(({ rowId }) => (refused.has(rowId) ? [] : rowId));
  await store.setLeft(done, false);
  if (loaded.size < ids.length) await takeFinal(store, rows, loaded);
  return { rows: done.length, appended: result.appended, isFull: isFull || refused.size > 0 };
}

type Queue = Pick<LeftQueue, 'corridor' | 'shard'>;
const nameOf = ({ corridor, shard }: Queue) => `${corridor} ${shard}`;

/**
 * Room of each queue. A row that a process opened before it read a change of shards is divided among the present ones, which must
 * all have some.
 */
function roomsOf({ corridors, shardsOf, roomOf }: Round): Map<Queue, number> {
  const rooms = new Map<Queue, number>();
  for (const corridor of corridors) {
    const present = Array.from({ length: shardsOf(corridor) }, (_, shard) =>
      roomOf({ corridor, shard }),
    );
    for (let shard = 0; shard < SHARDS_MAX; shard++) {
      rooms.set({ corridor, shard }, present[shard] ?? Math.min(...present));
    }
  }
  return rooms;
}

function firstOf(rows: readonly OpenRow[]): OpenRow[] {
  let before = 0;
  return rows.filter(({ transactionIds }) => {
    before += transactionIds.length;
    return before - transactionIds.length < ROUND_TRANSACTIONS_MAX;
  });
}

function toPayload(rowId: string, transaction: Transaction | undefined): EntryPayload[] {
  if (transaction === undefined) return [];
  return [{ transaction, attempt: 1, origin: 'reconciled', replyTo: null, rowId }];
}
