/**
 * Redis' memory: what takes it, and what gives way to what. Postgres has all of it as well, so giving way costs time and
 * loses nothing. By the share of maxmemory that is used:
 *
 *   0      0.55              0.65 ◀────────── 0.70                      0.85           1
 *   ├───────┼──────────────────┼────────────────┼────────────────────────┼────────────┤
 *    waiting transactions                        profiles begin no log,    events and copies of dead letters
 *    take what is free                           and are dropped down      all go; none are written
 *    (stream-capacity.ts);                       to 0.65                   (bound-events.ts)
 *    then logs have none spare                   (bound-profiles.ts)
 */
import { type RedisClient, toRedisFailure, writableNodes } from '../../../kit/redis/connection.ts';
import { infoField } from '../../../kit/redis/facts.ts';

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
  /** Only parties that were refused a log twice get one: each displaces another. */
  isScarce: boolean;
  /** By log: how often it was not begun. */
  readonly refusals: Map<string, number>;
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

/** Nothing was measured yet. */
export function watchMemory(eventBytesMax: number): MemoryWatch {
  return {
    eventBytesMax,
    hasEventRoom: eventBytesMax > 0,
    profileBytes: Number.POSITIVE_INFINITY,
    isCrowded: false,
    isScarce: false,
    refusals: new Map(),
    cursors: new Map(),
    adopting: undefined,
  };
}
