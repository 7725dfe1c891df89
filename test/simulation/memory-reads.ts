/** Reads that take entries off the simulation's streams: lua/read-n.lua, XREADGROUP and lua/claim-stale-1.lua. */
import { ENTRY_VERSION, type PackedEntry } from '../../src/core/stream/entries/entry.ts';
import { carriedDeliveries } from '../../src/core/stream/entries/entry-head.ts';
import {
  CLAIM_START,
  type Claimed,
  type ClaimOptions,
  DELIVERIES_TOGETHER,
  DELIVERIES_WHOLE,
} from '../../src/core/stream/group/consumer-group.ts';
import type {
  Delivery,
  Read,
  ReadOptions,
  StreamEntry,
} from '../../src/core/stream/group/read-group.ts';
import type { StreamKeys } from '../../src/core/stream/keys.ts';
import { Failure } from '../../src/kit/words/failure.ts';
import {
  type Group,
  idOf,
  type Stream,
  type StreamObserver,
  transactionIdsOf,
} from './memory-stream.ts';

type Streams = ReadonlyMap<string, Stream>;

export function existing(streams: Streams, name: string): Stream & { readonly group: Group } {
  const stream = streams.get(name);
  if (!stream?.group) throw new Failure('unavailable', 'REDIS_NOGROUP', `no group in ${name}`);
  return stream as Stream & { readonly group: Group };
}

export function touch(
  group: Group,
  id: number,
  consumer: string,
  sinceMs: number,
  by: number,
): number {
  const deliveries = (group.pending.get(id)?.deliveries ?? 0) + by;
  group.pending.set(id, { consumer, sinceMs, deliveries });
  return deliveries;
}

type Owner = Pick<StreamEntry, 'stream' | 'consumer'>;

function toEntry(
  id: number,
  entry: PackedEntry | undefined,
  { stream, consumer }: Owner,
  delivered: number,
): StreamEntry {
  const owned = { id: `${id}-0`, stream, consumer };
  if (entry === undefined) {
    const none = { version: null, transactions: 0, head: null, packed: null };
    return { ...owned, ...none, deleted: true, deliveries: delivered, carried: 0 };
  }
  const carried = carriedDeliveries(entry.head);
  const deliveries = delivered + carried;
  return { ...owned, version: ENTRY_VERSION, ...entry, deleted: false, deliveries, carried };
}

/** lua/read-n.lua: entries until their transactions suffice. */
export function readNew(
  streams: Streams,
  { consumer, streams: asked, shares, transactionsMax }: ReadOptions,
  nowMs: number,
  observer: StreamObserver,
): Read | undefined {
  let left = transactionsMax;
  const deliveries: Delivery[] = [];
  const failed = new Map<StreamKeys, Failure>();
  for (const [index, stream] of asked.entries()) {
    const found: StreamEntry[] = [];
    try {
      const { entries, group } = existing(streams, stream.transactions);
      let wanted = Math.min(left, shares[index] ?? 1);
      for (const [id, entry] of entries) {
        if (id <= group.lastDelivered || wanted <= 0) continue;
        group.lastDelivered = id;
        touch(group, id, consumer, nowMs, 1);
        const read = toEntry(id, entry, { stream, consumer }, 1);
        observer.delivered(transactionIdsOf(entry), read.deliveries);
        found.push(read);
        wanted -= entry.transactions;
        left -= entry.transactions;
      }
    } catch (error) {
      failed.set(stream, error as Failure);
    }
    if (found.length > 0) deliveries.push({ stream, entries: found, total: 0 });
  }
  return deliveries.length + failed.size > 0 ? { deliveries, failed } : undefined;
}

export function readOwn(
  streams: Streams,
  { consumer, streams: asked, shares }: ReadOptions,
  after: string,
  nowMs: number,
  observer: StreamObserver,
): Read {
  const deliveries = asked.map((stream, index) => {
    const { entries, group } = existing(streams, stream.transactions);
    const found: StreamEntry[] = [];
    let wanted = shares[index] ?? 1;
    const own = [...group.pending].sort(([a], [b]) => a - b);
    for (const [id, pending] of own) {
      if (pending.consumer !== consumer || id <= idOf(after) || wanted <= 0) continue;
      const entry = entries.get(id);
      if (entry !== undefined) {
        observer.delivered(transactionIdsOf(entry), touch(group, id, consumer, nowMs, 1));
      }
      found.push(toEntry(id, entry, { stream, consumer }, 2));
      wanted -= entry?.transactions ?? 1;
    }
    return { stream, entries: found, total: 0 };
  });
  return { deliveries, failed: new Map() };
}

/** lua/claim-stale-1.lua */
export function claim(
  streams: Streams,
  { stream, consumer, idleMs, cursor, transactionsMax }: ClaimOptions,
  nowMs: number,
  observer: StreamObserver,
): Claimed {
  const { entries, group } = existing(streams, stream.transactions);
  const from = cursor === CLAIM_START ? 0 : idOf(cursor.slice(1)) + 1;
  const stale = [...group.pending]
    .filter(([id, pending]) => id >= from && nowMs - pending.sinceMs >= idleMs)
    .sort(([a], [b]) => a - b);
  const claimed = { entries: [] as StreamEntry[], suspects: [] as StreamEntry[] };
  let [sum, seen] = [0, 0];
  for (const [id, { deliveries: delivered }] of stale) {
    const entry = entries.get(id);
    if (entry === undefined) {
      group.pending.delete(id);
      seen += 1;
      continue;
    }
    const { transactions } = entry;
    const deliveries = delivered + carriedDeliveries(entry.head);
    if (sum > 0 && sum + transactions > transactionsMax) break;
    if (transactions > 1 && deliveries >= DELIVERIES_WHOLE) {
      touch(group, id, consumer, nowMs, 0);
      claimed.suspects.push({
        ...toEntry(id, entry, { stream, consumer }, 0),
        deliveries: DELIVERIES_WHOLE,
      });
    } else {
      const alone = deliveries >= DELIVERIES_TOGETHER;
      if (alone && sum > 0) break;
      const read = toEntry(id, entry, { stream, consumer }, touch(group, id, consumer, nowMs, 1));
      observer.delivered(transactionIdsOf(entry), read.deliveries);
      claimed.entries.push(read);
      if (alone) {
        seen += 1;
        break;
      }
    }
    sum += transactions;
    seen += 1;
  }
  const last = stale[seen - 1]?.[0];
  const isEnd = seen === stale.length || last === undefined;
  return { cursor: isEnd ? CLAIM_START : `(${last}-0`, ...claimed };
}
