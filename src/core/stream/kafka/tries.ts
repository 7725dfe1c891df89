/**
 * Counts how often a partition was assigned at the same offset by workers that did not give it up by themselves: they died, most
 * likely of an entry. Redis may lose the counts, which makes a crash more necessary.
 */
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { kafkaTriesKey } from '../keys.ts';

/** Tries from which the entries of a partition are worked on one by one, and the first one is divided. */
export const ALONE_AFTER = 3;
const KEPT_SECONDS = 86_400;

/**
 * Adds to the counts of these partitions and offsets.
 * @returns the counts; 1 each where Redis does not answer
 */
export type CountTries = (begins: readonly string[], add: 1 | -1) => Promise<readonly number[]>;

export function createCountTries(redis: RedisClient, market: string): CountTries {
  const key = kafkaTriesKey(market);
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
