/**
 * A budget for the streams' by-products: `transaction.scored` events and copies of dead letters, of all corridors
 * together. Beyond the budget the oldest of the largest streams are dropped; as Redis runs out of memory all of them are.
 */
import { toRedisFailure } from '../../../kit/redis/connection.ts';
import { unexpected } from '../../../kit/redis/outage.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { isPast, type StreamKeys } from '../keys.ts';
import { loadForStreams, runForStreams } from '../scripts.ts';
import { type MarketInRedis, readMemory, usedShare, WATERMARKS } from './memory.ts';

/** Share of maxmemory that they may take; in a cluster of that of its smallest master. */
const SHARE_MAX = 0.1;
/** Dropping ends at this share of the budget. Nearer to 1, the next check would drop again. */
const SHARE_AFTER = 0.9;
const EVENTS_AGE_MS = 7 * 86_400_000;
/** Most entries of one stream that one check drops: bounds how long Redis works on it. */
const DROPPED_ENTRIES_MAX = 10_000;

/** Size of a stream of events, or of copies. */
type EventStream = {
  readonly kind: 'scored' | 'dead_letters';
  readonly key: string;
  readonly entries: number;
  readonly bytes: number;
};

type BytesByKind = Record<EventStream['kind'], number>;

const script = loadForStreams('measure-events-2');

/** Checks these streams; resolves to the bytes that are left, and those that were dropped. Throws a Failure. */
export async function boundEvents(
  { redis, memory }: MarketInRedis,
  all: readonly StreamKeys[],
): Promise<{ readonly left: BytesByKind; readonly dropped: BytesByKind }> {
  // A past has the events and the dead letters of its shard.
  const streams = all.filter(({ shard }) => !isPast(shard));
  const { eventBytesMax } = memory;
  const nodes = [...(await readMemory(redis)).values()];
  const isCrowded = usedShare(nodes) > WATERMARKS.events;
  memory.hasEventRoom = eventBytesMax > 0 && !isCrowded;
  const leastBytes = Math.min(...nodes.map(({ maxBytes }) => maxBytes));
  const budget = isCrowded ? 0 : Math.min(eventBytesMax, leastBytes * SHARE_MAX);
  const left: BytesByKind = { scored: 0, dead_letters: 0 };
  const dropped = { ...left };
  const keys = streams.map(({ scored, deadLetters }) => [scored, deadLetters]);
  const replies = await runForStreams(redis, script, keys, [EVENTS_AGE_MS]);
  const measured = streams.flatMap((stream, index) => toEventStreams(stream, replies[index]));
  for (const { kind, bytes } of measured) left[kind] += bytes;
  const cuts = planCuts(measured, budget).map(
    async ({ kind, key, entries, bytes, entriesLeft }) => {
      const bound = ['MAXLEN', '~', entriesLeft, 'LIMIT', DROPPED_ENTRIES_MAX] as const;
      const gone = ((await redis.xtrim(key, ...bound)) * bytes) / entries;
      dropped[kind] += gone;
      left[kind] -= gone;
    },
  );
  await Promise.all(cuts).catch((error: unknown) => {
    throw toRedisFailure(error);
  });
  return { left, dropped };
}

/** A stream that cannot be read has nothing to drop. */
function toEventStreams({ scored, deadLetters }: StreamKeys, reply: unknown): EventStream[] {
  if (reply instanceof Failure) return [];
  if (!Array.isArray(reply)) throw unexpected('measure-events');
  const [events, eventBytes, copies, copyBytes] = reply.map(Number);
  return [
    { kind: 'scored', key: scored, entries: events ?? 0, bytes: eventBytes ?? 0 },
    { kind: 'dead_letters', key: deadLetters, entries: copies ?? 0, bytes: copyBytes ?? 0 },
  ];
}

/** The streams that lose entries, and how many entries remain in each: all that exceed a level are cut to that level. */
export function planCuts(
  measured: readonly EventStream[],
  budget: number,
): readonly (EventStream & { readonly entriesLeft: number })[] {
  const filled = measured.filter(({ entries }) => entries > 0).sort((a, b) => a.bytes - b.bytes);
  const total = filled.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total <= budget) return [];
  let room = budget * SHARE_AFTER;
  for (const [index, { bytes }] of filled.entries()) {
    const level = room / (filled.length - index);
    if (bytes > level) {
      return filled
        .slice(index)
        .map((size) => ({ ...size, entriesLeft: Math.floor((size.entries * level) / size.bytes) }));
    }
    room -= bytes;
  }
  return [];
}
