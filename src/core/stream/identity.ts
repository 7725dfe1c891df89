/** A random value that lives as long as the data of Redis. */
import { randomUUID } from 'node:crypto';
import { type RedisClient, throwRedisFailure } from '../../kit/redis/connection.ts';
import { marketKeys } from './keys.ts';

/**
 * A write, hence refused when Redis is full, read-only or cannot persist, where a ping would succeed. Throws
 * Failure `unavailable`.
 */
export async function claimIdentity(redis: RedisClient, market: string): Promise<string> {
  const key = marketKeys(market).identity;
  const own = randomUUID();
  return (await redis.set(key, own, 'NX', 'GET').catch(throwRedisFailure)) ?? own;
}
