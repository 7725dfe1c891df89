/**
 * Whether the profiles in Redis may be trusted. A Redis that came back from its disk, or a replica that
 * took over, may lack the last second of writes: a log without the newest appends looks as good as a current one, also
 * to who knows only its beginning. So profiles belong to the run of the server that wrote them. Who meets another
 * run removes them all, once, and they are rebuilt from Postgres as they are needed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, type Redis } from 'ioredis';
import { Failure } from '../domain/failure.ts';
import { type RedisClient, toRedisFailure } from './connection.ts';
import { profileKeyPattern, profileRunKey, profileRunLockKey } from './keys.ts';

/** Resolves when the profiles that Redis holds may be used. Throws Failure `unavailable`. */
export type TrustProfiles = () => Promise<void>;

const LOCK_MS = 30_000;
const POLL_MS = 50;
const SCAN_KEYS = 1000;

/** Asks once a connection: a server cannot restart without breaking it. */
export function createTrustProfiles(redis: RedisClient, market: string): TrustProfiles {
  let trusted: Promise<void> | undefined;
  const forget = () => {
    trusted = undefined;
  };
  redis.on('close', forget);
  if (redis instanceof Cluster) redis.on('+node', forget);
  return () => {
    trusted ??= adopt(redis, market).catch((error: unknown) => {
      forget();
      throw toRedisFailure(error);
    });
    return trusted;
  };
}

async function adopt(redis: RedisClient, market: string): Promise<void> {
  const runs = await readRuns(redis);
  const endMs = performance.now() + LOCK_MS;
  while (performance.now() < endMs) {
    if ((await redis.get(profileRunKey(market))) === runs) return;
    if (await write(() => redis.set(profileRunLockKey(market), '1', 'PX', LOCK_MS, 'NX'))) {
      try {
        for (const node of nodesOf(redis)) await purge(node, market);
        await write(() => redis.set(profileRunKey(market), runs));
      } finally {
        await redis.del(profileRunLockKey(market));
      }
      return;
    }
    await sleep(POLL_MS);
  }
  throw new Failure('unavailable', 'PROFILES_LOCKED', 'another worker removes the profiles');
}

/** False when refused by a condition. A full Redis refuses nothing that matters: removing goes on without. */
async function write(command: () => Promise<unknown>): Promise<boolean> {
  try {
    return (await command()) === 'OK';
  } catch (error) {
    const failure = toRedisFailure(error);
    if (failure.code === 'REDIS_OOM') return true;
    throw failure;
  }
}

function nodesOf(redis: RedisClient): Redis[] {
  return redis instanceof Cluster ? redis.nodes('master') : [redis];
}

async function readRuns(redis: RedisClient): Promise<string> {
  const infos = await Promise.all(nodesOf(redis).map((node) => node.info('server')));
  return infos
    .map((info) => /^run_id:(\w+)/m.exec(info)?.[1] ?? '')
    .sort()
    .join(' ');
}

async function purge(node: Redis, market: string): Promise<void> {
  let cursor = '0';
  do {
    const [next, keys] = await node.scan(
      ...([cursor, 'MATCH', profileKeyPattern(market), 'COUNT', SCAN_KEYS] as const),
    );
    cursor = next;
    // One command a key, as keys of a page lie in different slots of a cluster.
    await Promise.all(keys.map((key) => node.unlink(key)));
  } while (cursor !== '0');
}
