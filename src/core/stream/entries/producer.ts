/**
 * Appends committed transactions to the streams, in as few entries as possible, one script call a stream. Durability does not
 * depend on it: the reconciler appends later what is refused or fails.
 */

import { type RedisClient, toRedisFailure } from '../../../kit/redis/connection.ts';
import { isStreamAtFault } from '../../../kit/redis/outage.ts';
import { Failure, isUnavailable } from '../../../kit/words/failure.ts';
import {
  comparePositions,
  createdAtMsOf,
  type OpenRow,
  type Transaction,
} from '../../domain/transaction.ts';
import { type ShardsOf, type StreamKeys, shardOf, streamKeys } from '../keys.ts';
import type { StreamRooms } from '../memory/memory.ts';
import { loadScript, runScripts } from '../scripts.ts';
import { COUNT_MAX, ENTRY_VERSION, type EntryPayload, packEntries } from './entry.ts';

type ProducerOptions = {
  readonly redis: RedisClient;
  readonly market: string;
  readonly shardsOf: ShardsOf;
  /** Transactions in one stream beyond which entries are refused, or the room that each has now. */
  readonly transactionsMax: number | StreamRooms['recent'];
  /**
   * Treats a stream that cannot be written as full instead of throwing, so that the others get their entries.
   */
  readonly passesFaults?: boolean;
};

/** Resolves to the transactions that are not known to be in their streams: usually none. */
export type Append = (payloads: readonly EntryPayload[]) => Promise<readonly EntryPayload[]>;

export type Producer = ReturnType<typeof createProducer>;

/** The stream of a transaction. */
export function createStreamChoice(
  market: string,
  shardsOf: ShardsOf,
): (transaction: Transaction) => StreamKeys {
  const streams = new Map<string, StreamKeys>();
  return (transaction) => {
    const { corridor, receivedAtMs } = transaction;
    const shard = shardOf(transaction, receivedAtMs, shardsOf(corridor));
    const name = `${corridor}:${shard}`;
    let stream = streams.get(name);
    if (stream === undefined) {
      stream = streamKeys(market, corridor, shard);
      streams.set(name, stream);
    }
    return stream;
  };
}

export type PlannedRow<T> = OpenRow & { readonly transactions: readonly T[] };

type Placed = Pick<Transaction, 'transactionId' | 'createdAtMs' | 'corridor' | 'accountId'>;

/** Digits of an id that tell the rows of a batch apart. */
const INDEX_CHARS = 4;

/**
 * Divides the transactions of a commit into open rows: one for each entry that is to carry them. Pure. The ids of rows follow
 * from the batch and its transactions, so that a repeated try names the rows of a try whose answer was lost. Where the corridor
 * was moved between both tries, entries may name other rows; the reconciler then closes the stored rows.
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

export function createProducer(options: ProducerOptions) {
  const { redis, market, shardsOf, transactionsMax, passesFaults = false } = options;
  const script = loadScript('append-2');
  const streamOf = createStreamChoice(market, shardsOf);
  const choose = ({ transaction }: EntryPayload) => streamOf(transaction);
  const readMax = async () => {
    if (typeof transactionsMax === 'number') return () => transactionsMax;
    const roomOf = await transactionsMax();
    return ({ transactions }: StreamKeys) => roomOf(transactions).transactionsMax;
  };
  const send = async (groups: readonly Group[]): Promise<Appended[]> => {
    const maxOf = await readMax();
    const packed = groups.map(({ payloads }) => packEntries(payloads));
    const calls = groups.map(({ stream }, index) => ({
      keys: [stream.transactions, stream.counts],
      args: [
        maxOf(stream),
        ENTRY_VERSION,
        ...(packed[index] ?? []).flatMap((entry) => [entry.transactions, entry.head, entry.packed]),
      ],
    }));
    const replies = await runScripts(redis, script, calls).catch((error: unknown) =>
      groups.map(() => toRedisFailure(error)),
    );
    return replies.map((reply, index) => toAppended(reply, packed[index] ?? []));
  };
  /**
   * A refused entry may leave room for a smaller one, so its transactions are tried once more, packed to fit.
   */
  const fill = async (stream: StreamKeys, { left, room }: Filled): Promise<Appended> => {
    const payloads = left.slice(0, room);
    if (payloads.length === 0) return { left, room };
    const [again = { left: payloads, room: 0 }] = await send([{ stream, payloads }]);
    if (again instanceof Failure) return again;
    return { left: [...again.left, ...left.slice(room)], room: 0 };
  };
  return {
    /**
     * Resolves to the transactions of streams that are full. Throws Failure `unavailable`; entries of other streams may have been
     * appended all the same.
     */
    async append(payloads: readonly EntryPayload[]): Promise<readonly EntryPayload[]> {
      const groups = [...Map.groupBy(payloads, choose)].map(([stream, group]) => ({
        stream,
        payloads: group,
      }));
      if (groups.length === 0) return [];
      const answers = await send(groups);
      const left: EntryPayload[] = [];
      let failure: Failure | undefined;
      for (const [index, { stream, payloads: group }] of groups.entries()) {
        const first = answers[index] ?? { left: group, room: 0 };
        const answer = first instanceof Failure ? first : await fill(stream, first);
        if (!(answer instanceof Failure)) left.push(...answer.left);
        else if (passesFaults && isStreamAtFault(answer)) left.push(...group);
        else failure ??= answer;
      }
      if (failure !== undefined) throw failure;
      return left;
    },
  };
}

type Group = { readonly stream: StreamKeys; readonly payloads: readonly EntryPayload[] };
type Filled = { readonly left: readonly EntryPayload[]; readonly room: number };
/** Transactions that were not appended, and how many more the stream has room for. */
type Appended = Filled | Failure;

/** Reads the reply of append: `[entries, room]`. */
function toAppended(reply: unknown, packed: ReturnType<typeof packEntries>): Appended {
  if (!Array.isArray(reply)) return toRedisFailure(reply);
  const left = packed.slice(Number(reply[0])).flatMap(({ payloads }) => payloads);
  return { left, room: Number(reply[1]) };
}

/**
 * After a failure of a log one caller a second tries again. The other callers skip the attempt, as all would wait for its timeout.
 */
const COOL_DOWN_MS = 1000;

/**
 * @param onMissed is called with the failure, or with null where the call is skipped
 * @param nowMs monotonic clock
 * @returns a function that runs a call; undefined where the call is skipped or fails for the log's sake. Other errors are thrown.
 */
export function createCoolDown(onMissed: (failure: unknown) => void, nowMs: () => number) {
  let retryAtMs: number | undefined;
  return async <Result>(call: () => Promise<Result>): Promise<Result | undefined> => {
    if (retryAtMs !== undefined && nowMs() < retryAtMs) {
      onMissed(null);
      return undefined;
    }
    // The next caller waits its turn even while this one still tries.
    if (retryAtMs !== undefined) retryAtMs = nowMs() + COOL_DOWN_MS;
    try {
      const result = await call();
      retryAtMs = undefined;
      return result;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      retryAtMs = nowMs() + COOL_DOWN_MS;
      onMissed(error);
      return undefined;
    }
  };
}
