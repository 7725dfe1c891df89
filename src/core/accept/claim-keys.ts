/** Claims the idempotency keys of a batch and stores its rows with them. */
import type { RefusedMonths } from '../../kit/words/month.ts';
import type { OpenRow } from '../domain/transaction.ts';
import { comparePositions, createdAtMsOf } from '../domain/transaction.ts';
import type { KnownKey } from '../store/idempotency-keys/key-slices.ts';
import {
  claimTransactions,
  findHolders,
  type NewTransaction,
  readReceivedAtMs,
} from '../store/transactions/transactions.ts';
import { COUNT_MAX } from '../stream/entries/entry.ts';
import { type ShardsOf, shardOf } from '../stream/keys.ts';
import { MonthsRefused, type RefusedRows } from './gate.ts';
import type { Ingest } from './ingest.ts';

/** Rows that were not stored, because an earlier request holds their key. */
export type KnownRows = ReadonlyMap<NewTransaction, KnownKey>;

/** Throws where held keys refuse the whole request; called before anything is stored. */
export type RefuseKnown = (known: KnownRows) => void;

/** Transactions that a request wants stored. */
export type Claim = {
  readonly batchId: string;
  readonly client: string;
  /** At most 1,000, in the order of keys. */
  readonly transactions: readonly NewTransaction[];
};

export type Stored = {
  readonly known: KnownRows;
  /** Rows that this request has stored. */
  readonly rows: readonly PlannedRow[];
  /** Null where earlier requests hold all keys. */
  readonly receivedAtMs: number | null;
};

export type PlannedRow<T = NewTransaction> = OpenRow & { readonly transactions: readonly T[] };

type Placed = Pick<NewTransaction, 'transactionId' | 'createdAtMs' | 'corridor' | 'accountId'>;

/** Digits of an id that tell the rows of a batch apart. */
const INDEX_CHARS = 4;

/**
 * Claims the keys that are free: first all of them, which nearly always succeeds; then those that nobody holds.
 */
export async function claimFree(
  { database, keySlices, shardsOf, failpoint, writes }: Ingest,
  { batchId, client, transactions }: Claim,
  refuseKnown: RefuseKnown | null,
): Promise<Stored> {
  const known = new Map<NewTransaction, KnownKey>();
  const own: NewTransaction[] = [];
  let free = transactions;
  while (free.length > 0) {
    failpoint('api-before-commit');
    const rows = planRows(batchId, shardsOf, free);
    const guard = writes.guardOf(new Set(free.map(({ corridor }) => corridor)));
    const batch = { client, transactions: free, rows, guard };
    const claimed = await claimTransactions(database, keySlices, batch);
    // Known keys were found before this commit, which is therefore after those that stored them.
    if ('receivedAtMs' in claimed) return { known, rows, ...claimed };
    for (const [row, key] of claimed.known) {
      if (key.transactionId === row.transactionId) own.push(row);
      else known.set(row, key);
    }
    refuseKnown?.(known);
    free = free.filter((row) => !claimed.known.has(row));
  }
  const [first] = own;
  const receivedAtMs = first === undefined ? null : await readReceivedAtMs(database, first);
  // An earlier try has stored exactly these, and its answer was lost.
  return { known, rows: planRows(batchId, shardsOf, own), receivedAtMs };
}

/**
 * A barred row whose key is held is a repetition; the others are refused, and the remaining keys are claimed. A
 * row that holds its key itself was stored by an earlier try, a moment before its month was detached: it is not
 * appended, as its open row waits until the month is attached.
 * @param refuseKnown null where each row is judged alone
 */
export async function claimOthers(
  ingest: Ingest,
  claim: Claim,
  months: RefusedMonths,
  barred: RefusedRows,
  refuseKnown: RefuseKnown | null,
): Promise<Stored & { readonly refused: RefusedRows }> {
  const holders = await findHolders(ingest.database, claim.client, [...barred.keys()]);
  const refused = new Map([...barred].filter(([row]) => !holders.has(row)));
  const standing = [...holders].filter(([row, key]) => key.transactionId !== row.transactionId);
  refuseKnown?.(new Map(standing));
  if (refuseKnown !== null && refused.size > 0) throw new MonthsRefused(months, refused);
  const transactions = claim.transactions.filter((row) => !barred.has(row));
  const claimed = await claimFree(ingest, { ...claim, transactions }, refuseKnown);
  return {
    ...claimed,
    known: new Map([...standing, ...claimed.known]),
    refused,
  };
}

/**
 * Divides the transactions of a commit into open rows: one for each entry that is to carry them. Pure. The ids of rows follow
 * from the batch and its transactions, so that a repeated try names the rows of a try whose answer was lost. Where the corridor
 * was moved between both, entries may name other rows; the reconciler then closes the stored ones.
 * @param batchId a UUID, of version 7 where transactions may be old; at most 65,536 rows have ids of their own
 */
export function planRows<T extends Placed>(
  batchId: string,
  shardsOf: ShardsOf,
  transactions: readonly T[],
): PlannedRow<T>[] {
  // Entries have the order in which siblings see each other.
  const sorted = transactions.toSorted(comparePositions);
  const streams = new Map<string, { corridor: string; shard: number; all: T[] }>();
  const receivedAtMs = createdAtMsOf(batchId) ?? 0;
  for (const row of sorted) {
    const { corridor } = row;
    const shard = shardOf(row, receivedAtMs, shardsOf(corridor));
    const name = shard === 0 ? corridor : `${corridor} ${shard}`;
    const stream = streams.get(name);
    if (stream === undefined) streams.set(name, { corridor, shard, all: [row] });
    else stream.all.push(row);
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
