/**
 * Which Redis this is: a random value that lives as long as its data, and the run ids of its nodes. A
 * change of either means that entries may be gone. The run ids are for streams that nobody has proven yet, such as those
 * of a corridor that came while no worker ran: a restart may lose their last entries and keep the random value.
 */
import { randomUUID } from 'node:crypto';
import { type RedisClient, throwRedisFailure, writableNodes } from '../../kit/redis/connection.ts';
import { infoField } from '../../kit/redis/info-field.ts';
import { identityKey } from './keys.ts';

/** Throws Failure `unavailable` when Redis cannot be written. */
export async function readIdentity(redis: RedisClient, market: string): Promise<string> {
  const value = await claimIdentity(redis, market);
  const infos = await Promise.all(writableNodes(redis).map((node) => node.info('server'))).catch(
    throwRedisFailure,
  );
  const runIds = infos.map((info) => infoField(info, 'run_id') ?? '');
  return [value, ...runIds.sort()].join(' ');
}

/**
 * A write, hence refused when Redis is full, read-only or cannot persist, where a ping would succeed. Throws
 * Failure `unavailable`.
 */
export async function claimIdentity(redis: RedisClient, market: string): Promise<string> {
  const key = identityKey(market);
  await redis.set(key, randomUUID(), 'NX').catch(throwRedisFailure);
  return (await redis.get(key).catch(throwRedisFailure)) ?? '';
}
