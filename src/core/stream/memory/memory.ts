/**
 * Redis' memory: what takes it, and what gives way to what. Postgres has all of it as well, so giving way costs time and
 * loses nothing. By the share of maxmemory that is used:
 *
 *   0      0.55              0.65 ◀────────── 0.70                      0.85           1
 *   ├───────┼──────────────────┼────────────────┼────────────────────────┼────────────┤
 *    waiting transactions                        profiles begin no log,    events and copies of dead letters
 *    take what is free                           and are dropped down      all go; none are written
 *    (createStreamRooms);                        to 0.65                 (bound-events.ts)
 *    then logs have none spare                   (bound-profiles.ts)
 */

import { shareCalls } from '../../../kit/caches/at-most-once-in.ts';
import {
  type RedisClient,
  throwRedisFailure,
  toRedisFailure,
  writableNodes,
} from '../../../kit/redis/connection.ts';
import { infoField } from '../../../kit/redis/facts.ts';
import { unexpected } from '../../../kit/redis/outage.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { StreamKeys } from '../keys.ts';
import { loadScript, runScripts } from '../scripts.ts';

/** Shares of maxmemory; each one leaves room for the next to act. */
export const WATERMARKS = {
  /** Below it waiting transactions take what is free. Above `profilesAfter`, they would take what profiles have given up. */
  waiting: 0.55,
  /** Dropping profiles ends here. Nearer to `profiles`, the next check would drop again. */
  profilesAfter: 0.65,
  /** Above it profiles give way. Higher, waiting transactions would reach `events` first. */
  profiles: 0.7,
  /** Above it events give way, as profiles were not enough. Higher, settling would meet a full Redis. */
  events: 0.85,
} as const;

export type NodeMemory = {
  /** Memory that counts against the limit: without buffers of replicas and of the append-only file. */
  readonly usedBytes: number;
  /** maxmemory; infinite without one. */
  readonly maxBytes: number;
};

/** The memory of each node that takes writes, by its run id. Throws a Failure. */
export async function readMemory(redis: RedisClient): Promise<Map<string, NodeMemory>> {
  try {
    const infos = await Promise.all(
      writableNodes(redis).map((node) => node.info('server', 'memory')),
    );
    return new Map(infos.map((info) => [infoField(info, 'run_id') ?? '', toMemory(info)]));
  } catch (error) {
    throw toRedisFailure(error);
  }
}

export function toMemory(info: string): NodeMemory {
  const field = (name: string) => Number(infoField(info, name) ?? 0);
  return {
    usedBytes: field('used_memory') - field('mem_not_counted_for_evict'),
    maxBytes: field('maxmemory') || Number.POSITIVE_INFINITY,
  };
}

/** The largest used share of maxmemory; 0 without a limit. */
export function usedShare(nodes: Iterable<NodeMemory>): number {
  return Math.max(0, ...Array.from(nodes, ({ usedBytes, maxBytes }) => usedBytes / maxBytes));
}

/** Findings of this process' last check. */
export type MemoryWatch = {
  /** Bound on events and copies of dead letters, where maxmemory allows as much; 0 for none of them. */
  readonly eventBytesMax: number;
  hasEventRoom: boolean;
  /** Bytes of profiles that this process may install before the next check; while there are none, no log is begun. */
  profileBytes: number;
  /** Logs of profiles are to have no spare memory, which is half of a log that grew. */
  isCrowded: boolean;
  /** Parties get a log once they were refused one twice, as each displaces another. */
  isScarce: boolean;
  /** By the hash of a log's key: how often the log was not begun, up to twice. */
  readonly refusals: Uint8Array;
  /** The sum of `refusals`. */
  refused: number;
  /** By node: where the last check of its profiles ended. */
  readonly cursors: Map<string, string>;
  /** The removal of profiles that another server left, while it is under way. */
  adopting: Promise<unknown> | undefined;
};

/** A market's streams and profiles in Redis, and what their use depends on. */
export type MarketInRedis = {
  readonly name: string;
  readonly redis: RedisClient;
  readonly memory: MemoryWatch;
};

/** Fewer: more parties that are seen once are admitted by the refusals of others, one of 16 at most here. */
const REFUSAL_COUNTS = 2 ** 20;

/** Nothing was measured yet. */
export function watchMemory(eventBytesMax: number): MemoryWatch {
  return {
    eventBytesMax,
    hasEventRoom: eventBytesMax > 0,
    profileBytes: Number.POSITIVE_INFINITY,
    isCrowded: false,
    isScarce: false,
    refusals: new Uint8Array(REFUSAL_COUNTS),
    refused: 0,
    cursors: new Map(),
    adopting: undefined,
  };
}

/** Shares of maxmemory that the transactions of requests may take while they wait. */
const SHARE_MAX = 0.3;
/** Enough for seconds of work: 80,000 transactions of 256 MB. */
const SHARE_MIN = 0.05;
const FREE_MULTIPLE = 8;
/** Time after which an append measures again: at 50,000 transactions of 250 bytes a second 6 MB are appended meanwhile. */
const FRESH_MS = 500;
/** Age of the last measurement from which an append waits for a new one. */
const STALE_MS = 1000;
/** Bytes that a transaction of an empty stream counts as: more than a transaction takes (docs/scale.md has the sizes). */
const TRANSACTION_BYTES = 400;
/** Nodes of a stream that Redis looks at for its size: 4 KB each, or one larger entry. */
const SAMPLES = 1000;

type StreamRoom = {
  /** Transactions in the stream; infinite where nothing can be appended, as one of its keys has another type. */
  readonly total: number;
  /** Transactions that the stream may have. */
  readonly transactionsMax: number;
};

/** The room of a stream, by the name of its key. */
type RoomOf = (stream: string) => StreamRoom;

export type StreamRooms = ReturnType<typeof createStreamRooms>;

type StreamRoomsOptions = {
  readonly redis: RedisClient;
  /** All streams that transactions are appended to. */
  readonly listStreams: () => Promise<readonly StreamKeys[]>;
  /** Transactions that requests may have waiting in one stream. */
  readonly transactionsMax: number;
  /** How full a stream may be, by how full requests fill it. */
  readonly fill?: number;
};

const script = loadScript('measure-capacity-2');

/**
 * Measures how many transactions each stream may hold: RISK_STREAM_ENTRIES_MAX, and fewer if Redis lacks memory, as a backlog that takes
 * the memory of profiles makes itself longer. The streams of a server share its room by dynamic thresholds (Choudhury and
 * Hahne, 1998): each may hold FREE_MULTIPLE times the bytes that its own append leaves free, so a lone stream gets eight ninths. Each
 * stream has an even part of SHARE_MIN to itself, or a backlog whose profiles took the room would leave quiet corridors to the reconciler.
 */
export function createStreamRooms(options: StreamRoomsOptions) {
  const { redis, listStreams, fill = 1 } = options;
  const transactionsMax = Math.ceil(options.transactionsMax * fill);
  let last: { readonly atMs: number; readonly roomOf: RoomOf } | undefined;
  const read = async (): Promise<RoomOf> => {
    const streams = await listStreams();
    const calls = streams.map(({ transactions, counts }) => ({
      keys: [transactions, counts],
      args: [SAMPLES],
    }));
    const [nodes, replies] = await Promise.all([
      readMemory(redis),
      runScripts(redis, script, calls),
    ]);
    const [first] = replies;
    if (first instanceof Failure && replies.every((reply) => reply instanceof Failure)) throw first;
    const sizes = streams.map(({ transactions }, index) => toSize(transactions, replies[index]));
    const rooms = shareRoom(sizes, nodes, transactionsMax, fill);
    return (stream) => rooms.get(stream) ?? { total: 0, transactionsMax };
  };
  const take = async () => {
    const atMs = performance.now();
    const roomOf = await read().catch(throwRedisFailure);
    last = { atMs, roomOf };
    return roomOf;
  };
  const measure = shareCalls(take);
  return {
    /** Measures now: one round trip on a single node. Throws a Failure. */
    measure,
    /** The rooms as measured at most a second ago, mostly half a second. Throws a Failure. */
    async recent(): Promise<RoomOf> {
      const ageMs = performance.now() - (last?.atMs ?? Number.NEGATIVE_INFINITY);
      if (last !== undefined && ageMs < FRESH_MS) return last.roomOf;
      const next = measure();
      if (last === undefined || ageMs >= STALE_MS) return await next;
      // The next append uses the new measurement; this append does not wait.
      next.catch(() => undefined);
      return last.roomOf;
    },
  };
}

type StreamSize = {
  readonly stream: string;
  readonly total: number;
  readonly bytes: number;
  /** Run id of the stream's server. */
  readonly server: string;
};

/** A stream that does not answer takes no room: its append fails alone, and other streams have their room. */
function toSize(stream: string, reply: unknown): StreamSize {
  if (!Array.isArray(reply) && !(reply instanceof Failure)) throw unexpected('measure-capacity');
  const [total, bytes, isAppendable, server] = Array.isArray(reply) ? reply : [0, 0, 0, ''];
  return {
    stream,
    server: String(server),
    bytes: Number(bytes),
    total: isAppendable === 1 ? Number(total) : Number.POSITIVE_INFINITY,
  };
}

/**
 * Computes the room of each stream from the free part of its server's share and the bytes that the stream has.
 * @param fill how full streams may be, by how full requests fill them
 */
export function shareRoom(
  sizes: readonly StreamSize[],
  nodes: ReadonlyMap<string, NodeMemory>,
  transactionsMax: number,
  fill = 1,
): ReadonlyMap<string, StreamRoom> {
  const rooms = new Map<string, StreamRoom>();
  for (const [server, streams] of Map.groupBy(sizes, (size) => size.server)) {
    const taken = streams.reduce((sum, { bytes }) => sum + bytes, 0);
    // A server that was replaced while it was measured has no room.
    const node = nodes.get(server) ?? { maxBytes: 0, usedBytes: 0 };
    const freeBytes = fill * shareOf(node, taken) - taken;
    const evenBytes = (fill * SHARE_MIN * node.maxBytes) / streams.length;
    for (const { stream, total, bytes } of streams) {
      // Without its own append in `freeBytes`, one large append would take what is left for every other stream.
      const ownBytes = ((bytes + freeBytes) * FREE_MULTIPLE) / (FREE_MULTIPLE + 1);
      const bytesMax = Math.max(evenBytes, ownBytes);
      const bytesEach = total > 0 && Number.isFinite(total) ? bytes / total : TRANSACTION_BYTES;
      const fitting = Math.floor(bytesMax / bytesEach);
      rooms.set(stream, { total, transactionsMax: Math.min(transactionsMax, fitting) });
    }
  }
  return rooms;
}

/** Bytes that all streams of a server may take: the rest that other keys leave, between SHARE_MIN and SHARE_MAX. */
function shareOf({ maxBytes, usedBytes }: NodeMemory, taken: number): number {
  const leftBytes = WATERMARKS.waiting * maxBytes - (usedBytes - taken);
  return Math.min(SHARE_MAX * maxBytes, Math.max(SHARE_MIN * maxBytes, leftBytes));
}
