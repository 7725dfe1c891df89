/**
 * Taking entries off a stream for one consumer of the group: those that nobody has read yet, and those
 * that this consumer was given and has not settled. Used by the readers of a worker.
 */
import { Cluster } from 'ioredis';
import { Failure } from '../domain/failure.ts';
import { type RedisClient, toRedisFailure } from './connection.ts';
import { GROUP } from './keys.ts';
import { loadScript, runScripts, type Script } from './scripts.ts';

/** An entry as delivered. `version` and `packed` are null when the field is missing. */
export type StreamEntry = {
  readonly id: string;
  readonly version: string | null;
  readonly packed: string | null;
  /** True when the entry was deleted while it was pending: there is nothing to do but acknowledge. */
  readonly deleted: boolean;
  /** How often it was delivered, this time included. */
  readonly deliveries: number;
};

export type Delivery = {
  readonly stream: string;
  readonly entries: readonly StreamEntry[];
  /** Entries that the stream held, these included; only where the read says so. */
  readonly waiting?: number;
};

export type ReadOptions = {
  readonly consumer: string;
  readonly streams: readonly string[];
  /** Entries a stream at most. */
  readonly entriesMax: number;
  /** The same for each of the streams, for reads that can tell them apart. */
  readonly shares?: readonly number[];
  readonly blockMs: number;
};

/**
 * Waits for entries that nobody has read yet. One command over all streams on a single node; on a cluster,
 * where they live in different slots, each stream without blocking and then the first one with it.
 *
 * A read that waits is answered with the first stream that gets entries, although whoever appended to it is about
 * to append to others: what these hold is read with it, as half as many batches cost less.
 */
export async function readNew(reader: RedisClient, options: ReadOptions): Promise<Delivery[]> {
  const { streams, blockMs } = options;
  const isCluster = reader instanceof Cluster;
  const found = isCluster ? await readPresent(reader, options) : [];
  if (found.length > 0) return found;
  const awaited = isCluster ? streams.slice(0, 1) : streams;
  const woken = await read(reader, options, awaited, '>', blockMs);
  if (woken.length !== 1) return woken;
  const others = streams.filter((stream) => stream !== woken[0]?.stream);
  return [...woken, ...(await readPresent(reader, { ...options, streams: others }))];
}

/** Entries that are there now and that nobody has read yet. */
export async function readPresent(reader: RedisClient, options: ReadOptions): Promise<Delivery[]> {
  const { streams } = options;
  if (streams.length === 0) return [];
  if (!(reader instanceof Cluster)) return await read(reader, options, streams, '>', null);
  const now = await Promise.all(streams.map((one) => read(reader, options, [one], '>', null)));
  return now.flat();
}

export const loadReadScript = (): Script => loadScript('read-joined-1');

/** Entries that are there now and that nobody has read yet: for busy streams the cheapest way. */
export async function readJoined(
  reader: RedisClient,
  script: Script,
  { streams, consumer, entriesMax, shares }: ReadOptions,
): Promise<Delivery[]> {
  const calls = streams.map((stream, index) => ({
    keys: [stream],
    args: [GROUP, consumer, shares?.[index] ?? entriesMax],
  }));
  const replies = await runScripts(reader, script, calls);
  // What the others delivered stays pending for this consumer, which drains it after an error.
  const failed = replies.find((reply) => reply instanceof Failure);
  if (failed !== undefined) throw failed;
  return replies.flatMap((reply, index) => {
    if (reply === null) return [];
    if (!Array.isArray(reply)) throw unexpected('read-joined');
    const [waiting, entries] = [Number(reply[0]), reply[1]];
    if (typeof entries !== 'string') return toDeliveries(entries);
    return [{ stream: streams[index] ?? '', entries: splitJoined(entries), waiting }];
  });
}

function splitJoined(joined: string): StreamEntry[] {
  const parts = joined.split('\0');
  const entries: StreamEntry[] = [];
  for (let at = 0; at + 3 < parts.length; at += 3) {
    const id = parts[at] ?? '';
    const version = parts[at + 1] ?? '';
    const packed = parts[at + 2] ?? '';
    entries.push({ id, version, packed, deleted: false, deliveries: 1 });
  }
  return entries;
}

/**
 * Entries that this consumer was given and has not settled, from `after` on: after a reader error some
 * may have been delivered into a reply that never arrived.
 */
export async function readOwn(
  reader: RedisClient,
  options: ReadOptions,
  after: string,
): Promise<Delivery[]> {
  const all = await Promise.all(
    options.streams.map((stream) => read(reader, options, [stream], after, null)),
  );
  // The server counts a delivery each time a pending entry is read again; the exact figure is asked
  // for only when an entry is claimed from another consumer.
  return all.flat().map(({ stream, entries }) => ({
    stream,
    entries: entries.map((entry) => ({ ...entry, deliveries: 2 })),
  }));
}

async function read(
  reader: RedisClient,
  { consumer, entriesMax }: ReadOptions,
  streams: readonly string[],
  after: string,
  blockMs: number | null,
): Promise<Delivery[]> {
  const block = blockMs === null ? [] : ['BLOCK', blockMs];
  const ids = streams.map(() => after);
  const reply = await reader
    .call('XREADGROUP', [
      'GROUP',
      GROUP,
      consumer,
      'COUNT',
      entriesMax,
      ...block,
      'STREAMS',
      ...streams,
      ...ids,
    ])
    .catch((error: unknown) => {
      throw toRedisFailure(error);
    });
  return toDeliveries(reply);
}

/** Reads the reply of XREADGROUP: `[[stream, [[id, [field, value, ...] | null], ...]], ...] | null`. */
export function toDeliveries(reply: unknown): Delivery[] {
  if (reply === null || reply === undefined) return [];
  if (!Array.isArray(reply)) throw unexpected('XREADGROUP');
  const deliveries: Delivery[] = [];
  for (const item of reply) {
    if (!Array.isArray(item) || typeof item[0] !== 'string' || !Array.isArray(item[1])) {
      throw unexpected('XREADGROUP');
    }
    const entries = item[1].map((entry: unknown) => {
      if (!Array.isArray(entry) || typeof entry[0] !== 'string') throw unexpected('XREADGROUP');
      return toEntry(entry[0], entry[1], 1);
    });
    if (entries.length > 0) deliveries.push({ stream: item[0], entries });
  }
  return deliveries;
}

export function toEntry(id: string, fields: unknown, deliveries: number): StreamEntry {
  if (!Array.isArray(fields)) {
    return { id, version: null, packed: null, deleted: true, deliveries };
  }
  let version: string | null = null;
  let packed: string | null = null;
  for (let i = 0; i + 1 < fields.length; i += 2) {
    if (fields[i] === 'v') version = String(fields[i + 1]);
    else if (fields[i] === 'd') packed = String(fields[i + 1]);
  }
  return { id, version, packed, deleted: false, deliveries };
}

export function unexpected(command: string): Failure {
  return new Failure('unavailable', 'REDIS_REPLY', `${command} answered in an unknown shape`);
}
