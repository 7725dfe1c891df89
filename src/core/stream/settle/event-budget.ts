/**
 * One budget for the streams' by-products: `transaction.scored` events and copies of dead letters, of all
 * corridors together. Beyond it the oldest of the largest streams are dropped. As Redis runs out of memory all
 * of them are dropped, and none are written: Postgres has the same data, and transactions need the memory.
 */
import { type RedisClient, toRedisFailure, writableNodes } from '../../../kit/redis/connection.ts';
import { readMemory, usedShare } from '../../../kit/redis/memory.ts';
import { unexpected } from '../../../kit/redis/outage.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { StreamKeys } from '../keys.ts';
import { loadScript, runOnStreams } from '../scripts.ts';

/** Share of maxmemory that they may take; in a cluster of that of its smallest master. */
const SHARE_MAX = 0.1;
/** Dropping ends at this share of the budget, so that it is not needed again at once. */
const SHARE_AFTER = 0.9;
/**
 * Used share of maxmemory beyond which all are dropped: profiles, which give way from 0.7 on, were not enough.
 */
const CROWDED_SHARE = 0.85;
const EVENTS_AGE_MS = 7 * 86_400_000;
/** Most entries of one stream that one check drops: bounds how long Redis is held. */
const DROPPED_ENTRIES_MAX = 10_000;

/** Size of a stream of events, or of copies. */
type HeldEvents = {
  readonly kind: 'scored' | 'dead_letters';
  readonly key: string;
  readonly entries: number;
  readonly bytes: number;
};

type BytesByKind = Record<HeldEvents['kind'], number>;

/** @param bytesMax bound where maxmemory allows more; 0 for no events */
export function createEventBudget(redis: RedisClient, bytesMax: number) {
  const script = loadScript('keep-events-2');
  let isCrowded = false;
  const measure = async (streams: readonly StreamKeys[]): Promise<HeldEvents[]> => {
    const calls = streams.map(({ scored, deadLetters }) => ({
      keys: [scored, deadLetters],
      args: [EVENTS_AGE_MS],
    }));
    const replies = await runOnStreams(redis, script, calls);
    return streams.flatMap((stream, index) => toHeld(stream, replies[index]));
  };
  return {
    /** Whether the last check found room for events. */
    hasRoom: () => bytesMax > 0 && !isCrowded,
    /** Checks these streams; resolves to the bytes that are left, and those that were dropped. Throws a Failure. */
    async keep(streams: readonly StreamKeys[]) {
      try {
        const nodes = await Promise.all(writableNodes(redis).map(readMemory));
        isCrowded = nodes.some((node) => usedShare(node) > CROWDED_SHARE);
        const leastBytes = Math.min(...nodes.map(({ maxBytes }) => maxBytes));
        const budget = isCrowded ? 0 : Math.min(bytesMax, leastBytes * SHARE_MAX);
        const kept: BytesByKind = { scored: 0, dead_letters: 0 };
        const dropped = { ...kept };
        const held = await measure(streams);
        for (const { kind, bytes } of held) kept[kind] += bytes;
        const cuts = planCuts(held, budget);
        await Promise.all(
          cuts.map(async ({ kind, key, entries, bytes, left }) => {
            const bound = ['MAXLEN', '~', left, 'LIMIT', DROPPED_ENTRIES_MAX] as const;
            const gone = ((await redis.xtrim(key, ...bound)) * bytes) / entries;
            dropped[kind] += gone;
            kept[kind] -= gone;
          }),
        );
        return { kept, dropped };
      } catch (error) {
        throw toRedisFailure(error);
      }
    },
  };
}

/** A stream that cannot be read has nothing to drop. */
function toHeld({ scored, deadLetters }: StreamKeys, reply: unknown): HeldEvents[] {
  if (reply instanceof Failure) return [];
  if (!Array.isArray(reply)) throw unexpected('keep-events');
  const [events, eventBytes, copies, copyBytes] = reply.map(Number);
  return [
    { kind: 'scored', key: scored, entries: events ?? 0, bytes: eventBytes ?? 0 },
    { kind: 'dead_letters', key: deadLetters, entries: copies ?? 0, bytes: copyBytes ?? 0 },
  ];
}

/** Which streams lose entries, and how many are left in them: all that exceed a level are cut to it. */
export function planCuts(
  held: readonly HeldEvents[],
  budget: number,
): readonly (HeldEvents & { readonly left: number })[] {
  const filled = held.filter(({ entries }) => entries > 0).sort((a, b) => a.bytes - b.bytes);
  const total = filled.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total <= budget) return [];
  let room = budget * SHARE_AFTER;
  for (const [index, { bytes }] of filled.entries()) {
    const level = room / (filled.length - index);
    if (bytes > level) {
      return filled
        .slice(index)
        .map((one) => ({ ...one, left: Math.floor((one.entries * level) / one.bytes) }));
    }
    room -= bytes;
  }
  return [];
}
