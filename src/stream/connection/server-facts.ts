/** What `risk doctor` asks of a Redis: facts only, judged by the command. */
import { type RedisClient, toRedisFailure } from './connection.ts';

type RedisFacts = {
  /** Version of Redis, or the Redis version that a Valkey reports. */
  readonly version: string;
  readonly major: number;
  readonly evictionPolicy: string;
  /** Bytes; 0: no bound. */
  readonly memoryMax: number;
  readonly memoryUsed: number;
  readonly appendOnly: boolean;
};

export async function readRedisFacts(redis: RedisClient): Promise<RedisFacts> {
  const text = await redis.info().catch((error: unknown) => {
    throw toRedisFailure(error);
  });
  const info = parseInfo(text);
  const version = info.get('redis_version') ?? 'unknown';
  return {
    version,
    major: Number(version.split('.')[0]),
    evictionPolicy: info.get('maxmemory_policy') ?? 'unknown',
    memoryMax: Number(info.get('maxmemory') ?? 0),
    memoryUsed: Number(info.get('used_memory') ?? 0),
    appendOnly: info.get('aof_enabled') === '1',
  };
}

function parseInfo(text: string): Map<string, string> {
  const lines = text.split('\r\n').filter((line) => line.includes(':'));
  return new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}
