/**
 * Divides the transactions of a commit into open rows: one for each entry that is to carry them. Pure. The ids of rows follow
 * from the batch and its transactions, so that a repeated try names the rows of a try whose answer was lost. Where the corridor
 * was moved between both, entries may name other rows; the reconciler then closes the stored ones.
 */
import { comparePositions } from '../domain/history.ts';
import type { OpenRow } from '../domain/open-row.ts';
import type { NewTransaction } from '../store/transactions/transactions.ts';
import { COUNT_MAX } from '../stream/entries/entry.ts';
import { type ShardsOf, shardOf } from '../stream/keys.ts';

export type PlannedRow<T = NewTransaction> = OpenRow & { readonly transactions: readonly T[] };

type Placed = Pick<NewTransaction, 'transactionId' | 'createdAtMs' | 'corridor' | 'accountId'>;

/** Digits of an id that tell the rows of a batch apart. */
const INDEX_CHARS = 4;

/** @param batchId a UUID; at most 65,536 rows have ids of their own */
export function planRows<T extends Placed>(
  batchId: string,
  shardsOf: ShardsOf,
  transactions: readonly T[],
): PlannedRow<T>[] {
  // Entries have the order in which siblings see each other.
  const sorted = transactions.toSorted(comparePositions);
  const streams = new Map<string, { corridor: string; shard: number; all: T[] }>();
  for (const one of sorted) {
    const { corridor, accountId } = one;
    const shard = shardOf(accountId, shardsOf(corridor));
    const name = shard === 0 ? corridor : `${corridor} ${shard}`;
    const stream = streams.get(name);
    if (stream === undefined) streams.set(name, { corridor, shard, all: [one] });
    else stream.all.push(one);
  }
  const prefix = batchId.slice(0, -INDEX_CHARS);
  const rows: PlannedRow<T>[] = [];
  for (const { corridor, shard, all } of streams.values()) {
    const size = Math.ceil(all.length / Math.ceil(all.length / COUNT_MAX));
    for (let start = 0; start < all.length; start += size) {
      const part = all.slice(start, start + size);
      rows.push({
        rowId: prefix + rows.length.toString(16).padStart(INDEX_CHARS, '0'),
        corridor,
        shard,
        transactions: part,
        transactionIds: part.map(({ transactionId }) => transactionId),
      });
    }
  }
  return rows;
}
