/**
 * How many transactions each stream may hold: RISK_STREAM_ENTRIES_MAX, and fewer if Redis lacks memory, as a backlog that takes
 * the memory of profiles makes itself longer. The streams of a server share its room by dynamic thresholds (Choudhury and
 * Hahne, 1998): each may hold FREE_MULTIPLE times the bytes that its own append leaves free, so one alone gets eight ninths.
 */

import { shareCalls } from '../../../kit/caches/at-most-once-in.ts';
import { type RedisClient, throwRedisFailure } from '../../../kit/redis/connection.ts';
import { unexpected } from '../../../kit/redis/outage.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { StreamKeys } from '../keys.ts';
import { loadScript, runScripts } from '../scripts.ts';
import { type NodeMemory, readMemory, WATERMARKS } from './memory.ts';

/** Shares of maxmemory that the transactions of requests may take while they wait. */
const SHARE_MAX = 0.3;
/** Enough for seconds of work: 80,000 transactions of 256 MB. */
const SHARE_MIN = 0.05;
const FREE_MULTIPLE = 8;
/** Time after which an append measures again: at 50,000 transactions of 250 bytes a second 6 MB are appended meanwhile. */
const FRESH_MS = 500;
/** Age of the last measurement from which an append waits for a new one. */
const STALE_MS = 1000;
/** A transaction of an empty stream counts as this many bytes: more than one takes (docs/scale.md has the sizes). */
const TRANSACTION_BYTES = 400;
/** Nodes of a stream that Redis looks at for its size: 4 KB each, or one larger entry. */
const SAMPLES = 1000;

type StreamRoom = {
  /** Transactions in the stream; infinite where nothing can be appended, as one of its keys has another type. */
  readonly total: number;
  /** Transactions it may hold. */
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
    /** As measured at most a second ago, mostly half a second. Throws a Failure. */
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
  /** Run id of its server. */
  readonly server: string;
};

/** A stream that does not answer takes no room: its append fails alone, and others have theirs. */
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
 * The room of each stream: what is free of its server's share is measured against what it holds.
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
    const freeBytes = fill * shareOf(nodes.get(server), taken) - taken;
    for (const { stream, total, bytes } of streams) {
      // Without its own append in `freeBytes`, one large append would take what is left for every other stream.
      const bytesMax = (Math.max(0, bytes + freeBytes) * FREE_MULTIPLE) / (FREE_MULTIPLE + 1);
      const bytesEach = total > 0 && Number.isFinite(total) ? bytes / total : TRANSACTION_BYTES;
      const fitting = Math.floor(bytesMax / bytesEach);
      rooms.set(stream, { total, transactionsMax: Math.min(transactionsMax, fitting) });
    }
  }
  return rooms;
}

/**
 * Bytes that all streams of a server may take: what other keys leave, within the bounds. A server that was replaced while it
 * was measured has none.
 */
function shareOf(node: NodeMemory | undefined, taken: number): number {
  const { maxBytes, usedBytes } = node ?? { maxBytes: 0, usedBytes: 0 };
  const leftBytes = WATERMARKS.waiting * maxBytes - (usedBytes - taken);
  return Math.min(SHARE_MAX * maxBytes, Math.max(SHARE_MIN * maxBytes, leftBytes));
}
