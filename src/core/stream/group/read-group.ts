/**
 * Reads streams for one consumer of the group: entries that nobody has read yet, and entries that this consumer
 * was given and has not settled. The readers of a worker use it.
 */
import { Cluster } from 'ioredis';
import {
  type RedisClient,
  throwRedisFailure,
  toRedisFailure,
} from '../../../kit/redis/connection.ts';
import { unexpected } from '../../../kit/redis/outage.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { COUNT_MAX, type EntryFields, fieldOf } from '../entries/entry.ts';
import { carriedDeliveries } from '../entries/entry-head.ts';
import { GROUP, type StreamKeys, tagOf } from '../keys.ts';
import { loadScript, runScripts } from '../scripts.ts';

/** An entry as delivered. */
export type StreamEntry = EntryFields & {
  readonly id: string;
  readonly stream: StreamKeys;
  /** To whom it was delivered. */
  readonly consumer: string;
  /** True when the entry was deleted while it was pending: it can only be acknowledged. */
  readonly deleted: boolean;
  /** How often it was delivered, including this time and deliveries of the entries it was before. */
  readonly deliveries: number;
  /** Deliveries of the entries it was before. */
  readonly carried: number;
};

export type Delivery = {
  readonly stream: StreamKeys;
  readonly entries: readonly StreamEntry[];
  /** Transactions in the stream after the read, these included; 0 where the read does not return it. */
  readonly total: number;
};

/** Entries of a read, and failures of single streams. */
export type Read = {
  readonly deliveries: readonly Delivery[];
  readonly failed: ReadonlyMap<StreamKeys, Failure>;
};

export type ReadOptions = {
  readonly consumer: string;
  readonly streams: readonly StreamKeys[];
  /** Transactions wanted of each stream; its last entry may exceed it. */
  readonly shares: readonly number[];
  /** Transactions wanted in all (on a cluster: as many of each slot); the last entry may exceed it. */
  readonly transactionsMax: number;
};

const script = loadScript('read-n');
/** Stands for entries that nobody has read yet. */
const UNREAD = '>';

/**
 * Reads entries that are there now and that nobody has read yet: one call, on a cluster one a slot.
 * @param after an id: reads instead this consumer's own unsettled entries behind it, as some may have been delivered into a
 *   reply that never arrived
 */
export async function readGroup(
  reader: RedisClient,
  { consumer, streams, shares, transactionsMax }: ReadOptions,
  after = UNREAD,
): Promise<Read> {
  const all = streams.map((stream, index) => ({ stream, share: shares[index] ?? 1 }));
  const groups =
    reader instanceof Cluster
      ? [...Map.groupBy(all, ({ stream }) => tagOf(stream)).values()]
      : [all];
  const calls = groups.map((group) => ({
    keys: group.flatMap(({ stream }) => [stream.transactions, stream.counts]),
    args: [GROUP, consumer, after, transactionsMax, ...group.map(({ share }) => share)],
  }));
  const replies = await runScripts(reader, script, calls, { buffers: true });
  // The server counts a delivery each time a pending entry is read again; the exact figure is asked
  // for only when an entry is claimed from another consumer.
  const delivered = after === UNREAD ? 1 : 2;
  const read = { deliveries: [] as Delivery[], failed: new Map<StreamKeys, Failure>() };
  for (const [index, group] of groups.entries()) {
    const reply = replies[index];
    // Entries that other streams delivered stay pending for this consumer, which drains them after an error.
    if (reply instanceof Failure && groups.length === 1) throw reply;
    if (reply instanceof Failure) for (const { stream } of group) read.failed.set(stream, reply);
    else addReply(read, reply, group, consumer, delivered);
  }
  return read;
}

/** Reads the reply of read-n: `[[number, failure, total, entries], ...]`. */
function addReply(
  { deliveries, failed }: { deliveries: Delivery[]; failed: Map<StreamKeys, Failure> },
  reply: unknown,
  asked: readonly { readonly stream: StreamKeys }[],
  consumer: string,
  delivered: number,
): void {
  for (const row of toArray(reply, 'read-n')) {
    const [number, failure, total, found] = toArray(row, 'read-n');
    const stream = asked[Number(number) - 1]?.stream;
    if (stream === undefined) throw unexpected('read-n');
    if (String(failure) !== '') failed.set(stream, toRedisFailure(new Error(String(failure))));
    const entries = toEntries(found, { stream, consumer }, delivered);
    if (entries.length > 0) deliveries.push({ stream, entries, total: Number(total) });
  }
}

/** Waits until a stream has unread entries, and reads at most one of each stream. On a cluster they must share a slot. */
export async function awaitEntries(
  reader: RedisClient,
  consumer: string,
  streams: readonly StreamKeys[],
  blockMs: number,
): Promise<Delivery[]> {
  const names = streams.map(({ transactions }) => transactions);
  const ids = names.map(() => '>');
  const group = ['GROUP', GROUP, consumer, 'COUNT', 1, 'BLOCK', blockMs];
  const reply = await reader
    .callBuffer('XREADGROUP', [...group, 'STREAMS', ...names, ...ids])
    .catch(throwRedisFailure);
  return toDeliveries(reply, streams, consumer);
}

/** Reads the reply of XREADGROUP: `[[stream, [[id, [field, value, ...] | null], ...]], ...] | null`. */
function toDeliveries(
  reply: unknown,
  streams: readonly StreamKeys[],
  consumer: string,
): Delivery[] {
  if (reply === null || reply === undefined) return [];
  const byName = new Map(streams.map((stream) => [stream.transactions, stream]));
  return toArray(reply, 'XREADGROUP').flatMap((row) => {
    const [name, found] = toArray(row, 'XREADGROUP');
    const stream = byName.get(toText(name));
    if (stream === undefined) throw unexpected('XREADGROUP');
    const entries = toEntries(found, { stream, consumer }, 1);
    return entries.length === 0 ? [] : [{ stream, entries, total: 0 }];
  });
}

type Owner = Pick<StreamEntry, 'stream' | 'consumer'>;

function toEntries(reply: unknown, owner: Owner, deliveries: number): StreamEntry[] {
  return toArray(reply, 'XREADGROUP').map((entry) => {
    const [id, fields] = toArray(entry, 'XREADGROUP');
    return toEntry(toText(id), fields, owner, deliveries);
  });
}

/** @param delivered how often the entry itself was delivered */
export function toEntry(
  id: string,
  fields: unknown,
  { stream, consumer }: Owner,
  delivered: number,
): StreamEntry {
  if (!Array.isArray(fields)) {
    const none = { version: null, transactions: 0, head: null, packed: null };
    return { id, stream, consumer, ...none, deleted: true, deliveries: delivered, carried: 0 };
  }
  const head = fieldOf(fields, 'h')?.toString('latin1') ?? null;
  const carried = carriedDeliveries(head);
  return {
    id,
    stream,
    consumer,
    version: fieldOf(fields, 'v')?.toString('latin1') ?? null,
    transactions: countOf(fieldOf(fields, 'n')),
    head,
    packed: fieldOf(fields, 'd') ?? null,
    deleted: false,
    deliveries: delivered + carried,
    carried,
  };
}

/** Counts as the scripts do: one where the field has no number. */
function countOf(field: Buffer | undefined): number {
  const text = field?.toString('latin1') ?? '';
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 1;
  return count >= 1 && count <= COUNT_MAX ? count : 1;
}

function toArray(reply: unknown, command: string): unknown[] {
  if (!Array.isArray(reply)) throw unexpected(command);
  return reply;
}

function toText(reply: unknown): string {
  if (!Buffer.isBuffer(reply)) throw unexpected('XREADGROUP');
  return reply.toString('latin1');
}
