/** The keys of a market in Redis. */
import { type RedisClient, writableNodes } from '../../kit/redis/connection.ts';
import { Failure, toError } from '../../kit/words/failure.ts';

const SCAN_KEYS = 1000;

/** Removes all keys of a market, on each node that takes writes. @returns how many there were */
export async function removeKeys(redis: RedisClient, market: string): Promise<number> {
  const scans = writableNodes(redis).flatMap((node) =>
    [`${market}:*`, `{${market}:*`].map((match) => ({ node, match })),
  );
  let removed = 0;
  try {
    for (const { node, match } of scans) {
      for await (const page of node.scanStream({ match, count: SCAN_KEYS })) {
        const keys: readonly string[] = page;
        // A command for each key, as the keys of a node lie in many slots.
        await Promise.all(keys.map((key) => node.unlink(key)));
        removed += keys.length;
      }
    }
  } catch (error) {
    throw new Failure('unavailable', 'REDIS_FAILED', toError(error).message, { cause: error });
  }
  return removed;
}
