/**
 * How many transactions each stream may hold: RISK_STREAM_ENTRIES_MAX, and fewer where the memory of its Redis asks for
 * it. What waits is in Postgres as well, so it gives way to what makes scoring fast: events may take 0.1 of maxmemory
 * (event-budget.ts) and profiles give way above 0.7 (profile-budget.ts), which leaves them 0.2 while a backlog waits.
 *
 * The streams of a node share its room by dynamic thresholds (Choudhury and Hahne, 1998): each may hold so many times
 * the bytes that are still free. One alone gets eight ninths, and those that stand still leave room for every other.
 */
import { Failure } from '../../domain/failure.ts';
import { type RedisClient, toRedisFailure } from '../connection/connection.ts';
import { isStreamAtFault } from '../connection/outage.ts';
import type { StreamKeys } from '../keys.ts';
import { loadScript, runScripts } from '../scripts.ts';

/** Share of maxmemory that the transactions of requests may take while they wait. */
const MEMORY_SHARE = 0.4;
const FREE_MULTIPLE = 8;
/** A measurement is used for so long: at 50,000 transactions a second of 250 bytes 6 MB are appended meanwhile. */
const FRESH_MS = 500;
/** A transaction of an empty stream counts as this many bytes: more than one takes (docs/operations.md has the sizes). */
const TRANSACTION_BYTES = 400;
/** Nodes of a stream that Redis looks at for its size: 4 KB each, or one larger entry. */
const SAMPLES = 1000;

type StreamRoom = {
  /** Transactions in the stream; infinite where nothing can be appended, as one of its keys has another type. */
  readonly held: number;
  /** Transactions it may hold. */
  readonly transactionsMax: number;
};

/** The room of a stream, by the name of its key. */
export type RoomOf = (stream: string) => StreamRoom;

export type StreamRooms = {
  /** Measures now: one round trip on a single node. Throws a Failure. */
  readonly measure: () => Promise<RoomOf>;
  /** As measured half a second ago at most. Throws a Failure. */
  readonly recent: () => Promise<RoomOf>;
};

type StreamRoomsOptions = {
  readonly redis: RedisClient;
  /** All streams that transactions are appended to. */
  readonly listStreams: () => Promise<readonly StreamKeys[]>;
  /** Transactions that requests may have waiting in one stream. */
  readonly transactionsMax: number;
  /** How full a stream may be, by how full requests fill it. */
  readonly fill?: number;
};

export function createStreamRooms(options: StreamRoomsOptions): StreamRooms {
  const { redis, listStreams, fill = 1 } = options;
  const script = loadScript('measure-room-2');
  const bounds = {
    transactionsMax: Math.ceil(options.transactionsMax * fill),
    memoryShare: MEMORY_SHARE * fill,
  };
  let last: { readonly atMs: number; readonly rooms: Promise<RoomOf> } | undefined;
  const read = async (): Promise<RoomOf> => {
    const streams = await listStreams();
    const calls = streams.map(({ transactions, counts }) => ({
      keys: [transactions, counts],
      args: [SAMPLES],
    }));
    const replies = await runScripts(redis, script, calls);
    const sizes = streams.map(({ transactions }, index) => toSize(transactions, replies[index]));
    const rooms = shareRoom(sizes, bounds);
    return (stream) => rooms.get(stream) ?? { held: 0, transactionsMax: bounds.transactionsMax };
  };
  const measure = async () => {
    const taken = { atMs: performance.now(), rooms: read() };
    last = taken;
    try {
      return await taken.rooms;
    } catch (error) {
      if (last === taken) last = undefined;
      throw toRedisFailure(error);
    }
  };
  return {
    measure,
    recent: async () => {
      const isFresh = last !== undefined && performance.now() - last.atMs < FRESH_MS;
      return isFresh && last !== undefined ? await last.rooms : await measure();
    },
  };
}

export type StreamSize = {
  readonly stream: string;
  readonly held: number;
  readonly bytes: number;
  readonly node: string;
  /** maxmemory of the node; infinite without one. */
  readonly nodeBytesMax: number;
};

function toSize(stream: string, reply: unknown): StreamSize {
  const isOther = isStreamAtFault(reply);
  if (reply instanceof Failure && !isOther) throw reply;
  if (!isOther && !Array.isArray(reply)) throw unknownReply();
  const [held, bytes, maxBytes, node, isAppendable] = Array.isArray(reply)
    ? reply
    : [0, 0, 0, '', 0];
  return {
    ...{ stream, node: String(node), bytes: Number(bytes) },
    held: isAppendable === 1 ? Number(held) : Number.POSITIVE_INFINITY,
    nodeBytesMax: Number(maxBytes) || Number.POSITIVE_INFINITY,
  };
}

function unknownReply(): Failure {
  return new Failure('unavailable', 'REDIS_REPLY', 'measure-room answered in an unknown shape');
}

/** The room of each stream: what is free of its node's share is measured against what it holds. */
export function shareRoom(
  sizes: readonly StreamSize[],
  bounds: { readonly transactionsMax: number; readonly memoryShare: number },
): ReadonlyMap<string, StreamRoom> {
  const rooms = new Map<string, StreamRoom>();
  for (const streams of Map.groupBy(sizes, ({ node }) => node).values()) {
    const takenBytes = streams.reduce((sum, { bytes }) => sum + bytes, 0);
    const shareBytes = (streams[0]?.nodeBytesMax ?? 0) * bounds.memoryShare;
    const bytesMax = Math.max(0, shareBytes - takenBytes) * FREE_MULTIPLE;
    for (const { stream, held, bytes } of streams) {
      const bytesEach = held > 0 && Number.isFinite(held) ? bytes / held : TRANSACTION_BYTES;
      const transactionsMax = Math.min(bounds.transactionsMax, Math.floor(bytesMax / bytesEach));
      rooms.set(stream, { held, transactionsMax });
    }
  }
  return rooms;
}
