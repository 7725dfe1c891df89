/** The keys of a market in Redis. */
import type { Redis } from 'ioredis';
import { type RedisClient, writableNodes } from '../../kit/redis/connection.ts';
import { Failure, toError } from '../../kit/words/failure.ts';

const SCAN_KEYS = 1000;

/** Removes all keys of a market, on each node that takes writes. @returns how many there were */
export async function removeKeys(redis: RedisClient, market: string): Promise<number> {
  let removed = 0;
  try {
    for (const node of writableNodes(redis)) {
      for (const pattern of [`${market}:*`, `{${market}:*`])
        removed += await removeOf(node, pattern);
    }
  } catch (error) {
    throw new Failure('unavailable', 'REDIS_FAILED', toError(error).message, { cause: error });
  }
  return removed;
}

async function removeOf(node: Redis, pattern: string): Promise<number> {
  let removed = 0;
  for await (const page of node.scanStream({ match: pattern, count: SCAN_KEYS })) {
    const keys: readonly string[] = page;
    // A command for each key, as the keys of a node lie in many slots.
    const pipeline = node.pipeline();
    for (const key of keys) pipeline.unlink(key);
    const [failed] = ((await pipeline.exec()) ?? []).filter(([error]) => error !== null);
    if (failed !== undefined) throw failed[0];
    removed += keys.length;
  }
  return removed;
}
