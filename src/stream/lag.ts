/** How far the workers are behind, per stream: for metrics, status and autoscaling. */
import { Cluster } from 'ioredis';
import type { RedisClient } from './connection.ts';
import { toRedisFailure } from './connection.ts';
import { toFields } from './consumer-group.ts';
import { GROUP, type StreamKeys } from './keys.ts';

export type StreamLag = {
  readonly stream: StreamKeys;
  /** Entries not yet delivered. */
  readonly lag: number;
  /** Delivered and not yet acknowledged. */
  readonly pending: number;
  /** Age of the oldest entry not yet acknowledged; 0 when there is none. */
  readonly oldestAgeMs: number;
  /** Entries that wait for their next attempt, due or not. */
  readonly retriesWaiting: number;
  /** Entries of the bounded copy of the dead letters. */
  readonly deadLetters: number;
};

/** One round trip for all streams of a single node. A stream without a group has everything ahead. */
export async function measureStreams(
  redis: RedisClient,
  streams: readonly StreamKeys[],
): Promise<StreamLag[]> {
  const replies = await Promise.all(streams.map((stream) => ask(redis, stream)));
  const [seconds, microseconds] = await redis.time().catch(fail);
  const nowMs = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  return streams.map((stream, index) => toLag(stream, replies[index] ?? [], nowMs));
}

async function ask(redis: RedisClient, stream: StreamKeys): Promise<unknown[]> {
  const commands: [string, ...(string | number)[]][] = [
    ['xlen', stream.transactions],
    ['xinfo', 'GROUPS', stream.transactions],
    ['xrange', stream.transactions, '-', '+', 'COUNT', 1],
    ['zcard', stream.retries],
    ['xlen', stream.deadLetters],
  ];
  if (redis instanceof Cluster) {
    return await Promise.all(
      commands.map(([name, ...args]) => redis.call(name, args).catch(emptyIfMissing)),
    );
  }
  const results = await redis.pipeline(commands).exec().catch(fail);
  return (results ?? []).map(([error, value]) => (error === null ? value : emptyIfMissing(error)));
}

/**
 * A stream that nothing was appended to has no groups, and what is no stream holds nothing to count: other
 * corridors' figures must not fail with it. Any other error must not pass for a zero.
 */
function emptyIfMissing(error: unknown): undefined {
  if (error instanceof Error && /no such key|^WRONGTYPE/i.test(error.message)) return undefined;
  return fail(error);
}

function fail(error: unknown): never {
  throw toRedisFailure(error);
}

function toLag(stream: StreamKeys, replies: readonly unknown[], nowMs: number): StreamLag {
  const [length, groups, oldest, retries, deadLetters] = replies;
  const group = (Array.isArray(groups) ? groups : [])
    .map(toFields)
    .find((fields) => fields.get('name') === GROUP);
  const entries = count(length);
  const pending = count(group?.get('pending'));
  const reported = group?.get('lag');
  const first: unknown = Array.isArray(oldest) ? oldest[0] : undefined;
  const firstId = Array.isArray(first) ? String(first[0]) : undefined;
  return {
    stream,
    // NULL after a deletion of undelivered entries. As acknowledged entries are deleted, what is in the
    // stream and not pending was not delivered.
    lag: typeof reported === 'number' ? reported : Math.max(0, entries - pending),
    pending,
    oldestAgeMs: firstId === undefined ? 0 : Math.max(0, nowMs - Number(firstId.split('-')[0])),
    retriesWaiting: count(retries),
    deadLetters: count(deadLetters),
  };
}

function count(reply: unknown): number {
  return typeof reply === 'number' ? reply : 0;
}
