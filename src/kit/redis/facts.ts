/** Facts that a Redis gives by INFO. */
import { type RedisClient, throwRedisFailure } from './connection.ts';

/** Facts of a Redis for `risk doctor`; the command judges them. */
export async function readRedisFacts(redis: RedisClient) {
  const info = await redis.info().catch(throwRedisFailure);
  const version = infoField(info, 'redis_version') ?? 'unknown';
  return {
    /** Version of Redis, or the Redis version that a Valkey reports. */
    version,
    major: Number(version.split('.')[0]),
    evictionPolicy: infoField(info, 'maxmemory_policy') ?? 'unknown',
    /** Bytes; 0: no bound. */
    memoryMax: Number(infoField(info, 'maxmemory') ?? 0),
    memoryUsed: Number(infoField(info, 'used_memory') ?? 0),
    appendOnly: infoField(info, 'aof_enabled') === '1',
  };
}

/** Reads one field of the text that INFO answers with; undefined where the server has none. */
export function infoField(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:([^\\r\\n]*)`, 'm').exec(info)?.[1];
}
