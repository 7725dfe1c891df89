/**
 * The partitions that the group has assigned to this worker, and the entries that it has read of them:
 *
 *   fetched ─▶ (kept, until a retry is due) ─▶ open ─▶ done ─▶ committed, once all before it are done
 *
 * Each assignment begins at the offset that the group has committed, also where this worker had the partition before and has
 * read on: another worker may have had it in between, and what was read and not ended is delivered again.
 */
import type { Consumer } from '@platformatic/kafka';
import type { RedisClient } from '../../../kit/redis/connection.ts';
import type { EntryFields } from '../entries/entry.ts';
import { carriedDeliveries } from '../entries/entry-head.ts';
import type { StreamEntry } from '../group/read-group.ts';
import { marketKeys, type StreamKeys } from '../keys.ts';
import { type Claim, doneUpTo, nameOfPartition, openClaim, startOf } from './claim.ts';
import { readOffsets, throwKafkaFailure, within } from './clients.ts';
import type { Fetched, FetchedRecord, Position } from './fetch-records.ts';
import { partitionKeys, transactionsOf } from './topics.ts';

/** Retries that are kept until they are due: no more are fetched meanwhile. */
const KEPT_MAX = 1000;
const PREFIX = 'kafka:';

/** Topics that are read. */
type ReadTopics = ReadonlyMap<string, { readonly corridor: string; readonly isRetry: boolean }>;

export type EndedOffset = { readonly stream: StreamKeys; readonly entryId: string };

export type Claims = Awaited<ReturnType<typeof assignClaims>>;

/** Tries from which the entries of a partition are worked on one by one, and the first one is divided. */
export const ALONE_AFTER = 3;
/** Longer than brokers keep offsets of a group without members, as they are shipped. */
const KEPT_SECONDS = 8 * 86_400;

/**
 * Adds to the counts of these partitions and offsets.
 * @returns the counts; 1 each where Redis does not answer
 */
type CountTries = (begins: readonly string[], add: 1 | -1) => Promise<readonly number[]>;

const EVERY_MS = 1000;

type DeliveredTo = {
  /** Name of the partition. */
  readonly name: string;
  /** Offset behind the last entry that was read. */
  readonly position: bigint;
  /** Transactions that were read and are not done. */
  readonly transactions: number;
  /** Offset below which all is done; a note of an older version has none. */
  readonly done: bigint | undefined;
};
type ReadNotes = () => Promise<ReadonlyMap<string, DeliveredTo>>;

/**
 * Reads where each assigned partition begins. Throws a Failure.
 * @param nowMs by the clock that retries are due by
 */
export async function assignClaims(
  member: Consumer,
  market: string,
  topics: ReadTopics,
  countTries: CountTries,
  readNotes: ReadNotes,
  nowMs: () => number,
) {
  const read = await readClaims(member, topics, readNotes);
  const { claims, begins } = await countClaims(read, countTries);
  const streams = new Map(
    Array.from(claims, ([name, { topic, partition }]) => {
      const corridor = topics.get(topic)?.corridor ?? '';
      return [name, partitionKeys(market, PREFIX, { corridor, topic, partition })];
    }),
  );
  let kept: { readonly dueMs: number; readonly entry: StreamEntry }[] = [];
  return {
    /** Where to fetch from. */
    positions(): Position[] {
      const isFull = kept.length >= KEPT_MAX;
      return [...claims.values()].filter(({ topic }) => !(isFull && topics.get(topic)?.isRetry));
    },
    /** Takes what was fetched. @returns entries that are due */
    take(fetched: readonly Fetched[]): StreamEntry[] {
      return fetched.flatMap(({ topic, partition, records, from, next }) => {
        const name = nameOfPartition(topic, partition);
        const [claim, stream] = [claims.get(name), streams.get(name)];
        // The partition was assigned anew while it was read.
        if (stream === undefined || claim?.position !== from) return [];
        claim.position = next;
        return records.flatMap((record) => {
          const entry = toEntry(record, claim, stream, member.memberId ?? '');
          claim.open.set(record.offset, entry.transactions);
          const dueMs = Number(record.headers.get('due') ?? 0);
          if (dueMs <= nowMs()) return entry;
          kept.push({ dueMs, entry });
          return [];
        });
      });
    },
    /** Retries that were kept and are due now. */
    takeDue(): StreamEntry[] {
      const atMs = nowMs();
      const due = kept.filter(({ dueMs }) => dueMs <= atMs);
      if (due.length > 0) kept = kept.filter(({ dueMs }) => dueMs > atMs);
      return due.map(({ entry }) => entry);
    },
    done(entries: readonly EndedOffset[]): void {
      for (const { stream, entryId } of entries) {
        claims.get(stream.transactions.slice(PREFIX.length))?.open.delete(BigInt(entryId));
      }
    },
    /** Whether an entry is worked on alone, as workers died with the entries of its partition. */
    isAlone({ stream, id, carried }: StreamEntry): boolean {
      const claim = claims.get(stream.transactions.slice(PREFIX.length));
      const isSuspect = claim !== undefined && claim.tries >= ALONE_AFTER;
      return carried >= ALONE_AFTER || (isSuspect && BigInt(id) < claim.endedAt);
    },
    /** Entries that were handed out and are not done. */
    openEntries: (): number =>
      [...claims.values()].reduce((sum, { open }) => sum + open.size, 0) - kept.length,
    /** How far each partition was read. */
    delivered: (): DeliveredTo[] =>
      Array.from(claims, ([name, claim]) => {
        const transactions = [...claim.open.values()].reduce((a, b) => a + b, 0);
        return { name, position: claim.position, transactions, done: doneUpTo(claim) };
      }),
    /** The worker lives, and gives the partitions up. */
    release: async () => void (await countTries(begins, -1)),
    /** Commits what is done. Throws a Failure. */
    async commit(): Promise<void> {
      const moved = [...claims.values()].flatMap((claim) => {
        const offset = doneUpTo(claim);
        return offset > claim.committed ? { claim, offset } : [];
      });
      if (moved.length === 0) return;
      const offsets = moved.map(({ claim: { topic, partition }, offset }) => {
        return { topic, partition, offset, leaderEpoch: -1 };
      });
      await within(member.commit({ offsets })).catch(throwKafkaFailure);
      for (const { claim, offset } of moved) claim.committed = offset;
    },
  };
}

async function readClaims(
  member: Consumer,
  topics: ReadTopics,
  readNotes: ReadNotes,
): Promise<ReadonlyMap<string, Claim>> {
  // A leader that reads other corridors gives its own topics to all members, also those that this worker does not read.
  const assigned = (member.assignments ?? []).filter(({ topic }) => topics.has(topic));
  if (assigned.length === 0) return new Map();
  const partitions = Object.fromEntries(assigned.map((own) => [own.topic, own.partitions]));
  const offsetsOf = await readOffsets(member, assigned, { partitions });
  const notes = await readNotes();
  const claims = assigned.flatMap(({ topic, partitions }) =>
    partitions.map((partition): [string, Claim] => {
      const { begin, end: endedAt, isKnown } = offsetsOf(topic, partition);
      const name = nameOfPartition(topic, partition);
      const { done = begin } = notes.get(name) ?? {};
      // Where the group has lost its offsets, all that the topic still holds would be published again.
      const isLost = !isKnown && done > begin && done <= endedAt;
      const offsets = isLost ? { begin: done, endedAt, committed: begin } : { begin, endedAt };
      return [name, openClaim({ topic, partition }, offsets)];
    }),
  );
  return new Map(claims);
}

/** The same claims with their tries; a partition without entries that were delivered before has none. */
async function countClaims(found: ReadonlyMap<string, Claim>, countTries: CountTries) {
  const claims = new Map(found);
  const suspects = [...found].filter(([, { begin, endedAt }]) => begin < endedAt);
  const begins = suspects.map(([, claim]) => startOf(claim));
  const counts = await countTries(begins, 1);
  for (const [index, [name, claim]] of suspects.entries()) {
    claims.set(name, { ...claim, tries: counts[index] ?? 1 });
  }
  return { claims, begins };
}

function toEntry(
  { offset, headers, value }: FetchedRecord,
  { endedAt, begin, tries }: Claim,
  stream: StreamKeys,
  consumer: string,
): StreamEntry {
  const fields = fieldsOf(headers, value);
  const carried = carriedDeliveries(fields.head);
  const again = offset === begin ? Math.max(2, tries) : 2;
  return {
    ...fields,
    id: String(offset),
    stream,
    consumer,
    deleted: false,
    carried,
    deliveries: (offset < endedAt ? again : 1) + carried,
  };
}

/** The fields of a stream entry, as the producer has put them into the record. */
function fieldsOf(headers: ReadonlyMap<string, string>, value: Buffer | null): EntryFields {
  return {
    version: headers.get('v') ?? null,
    transactions: transactionsOf(headers),
    head: headers.get('h') ?? null,
    packed: value,
  };
}

/**
 * Counts how often a partition was assigned at the same offset by workers that did not give it up by themselves: they died, most
 * likely of an entry. Redis may lose the counts, which makes a crash more necessary.
 */
export function createCountTries(redis: RedisClient, market: string): CountTries {
  const key = marketKeys(market).kafkaTries;
  return async (begins, add) => {
    if (begins.length === 0) return [];
    try {
      const counts = await Promise.all(begins.map((begin) => redis.hincrby(key, begin, add)));
      // Each rebalance has offsets of its own.
      const over = begins.filter((_, at) => (counts[at] ?? 1) <= 0);
      if (over.length > 0) await redis.hdel(key, ...over);
      await redis.expire(key, KEPT_SECONDS);
      return counts;
    } catch {
      return begins.map(() => 1);
    }
  };
}

/**
 * Notes how far a worker has read its partitions: after each read that brought something, and once a second. Never fails. The group
 * knows only what is done; without these notes, which Redis may lose, entries in hand count as waiting.
 */
export function createNoteRead(redis: RedisClient, market: string) {
  const key = marketKeys(market).kafkaDelivered;
  let notedMs = Number.NEGATIVE_INFINITY;
  return async (read: () => readonly DeliveredTo[], isMore: boolean): Promise<void> => {
    const nowMs = performance.now();
    if (!isMore && nowMs - notedMs < EVERY_MS) return;
    notedMs = nowMs;
    const fields = read().map(({ name, position, transactions, done }) => [
      name,
      `${position} ${transactions} ${done}`,
    ]);
    if (fields.length === 0) return;
    try {
      await redis.hset(key, Object.fromEntries(fields));
      await redis.expire(key, KEPT_SECONDS);
    } catch {
      // Until the next note what is in hand counts as waiting.
    }
  };
}

/** By partition; none where Redis does not answer. */
export async function readDelivered(
  redis: RedisClient,
  market: string,
): Promise<ReadonlyMap<string, DeliveredTo>> {
  const notes = await redis.hgetall(marketKeys(market).kafkaDelivered).catch(() => ({}));
  return new Map(
    Object.entries<string>(notes).map(([name, text]) => {
      const [position = '0', transactions = '0', done] = text.split(' ');
      const offsets = {
        position: BigInt(position),
        done: done === undefined ? done : BigInt(done),
      };
      return [name, { name, transactions: Number(transactions), ...offsets }];
    }),
  );
}
