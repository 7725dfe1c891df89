/**
 * Which streams are held: left to the reconciler, because older batches are owed to them. The mark lives
 * in Redis beside the stream, so that it holds for every API process; the producer sets it, the
 * reconciler takes it away.
 */
import { Failure } from '../domain/failure.ts';
import { type RedisClient, toRedisFailure } from './connection.ts';
import type { StreamKeys } from './keys.ts';
import { isStreamAtFault } from './outage.ts';
import { loadScript, runScript } from './scripts.ts';

export type StreamState = {
  readonly stream: StreamKeys;
  /** Groups refused since the stream is held; null when it is not. */
  readonly refusals: number | null;
  /** Entries it holds; infinite where nothing can be appended, as another type stands at its key. */
  readonly entries: number;
};

export type StreamHolds = {
  readonly read: (streams: readonly StreamKeys[]) => Promise<StreamState[]>;
  readonly hold: (streams: readonly StreamKeys[]) => Promise<void>;
  /** False when a group was refused since `refusals` was read; null releases all the same. */
  readonly release: (stream: StreamKeys, refusals: number | null) => Promise<boolean>;
};

/** All throw Failure `unavailable`. */
export function createStreamHolds(redis: RedisClient): StreamHolds {
  const script = loadScript('release-1');
  return {
    read: async (streams) =>
      await Promise.all(
        streams.map(async (stream) => {
          const [refusals, entries] = await Promise.all([
            redis.get(stream.held),
            redis.xlen(stream.transactions).catch(countNone),
          ]);
          return { stream, refusals: refusals === null ? null : Number(refusals), entries };
        }),
      ).catch(fail),
    hold: async (streams) => {
      await Promise.all(streams.map(({ held }) => redis.incr(held))).catch(fail);
    },
    release: async ({ held }, refusals) => {
      if (refusals === null) {
        await redis.del(held).catch(fail);
        return true;
      }
      return (await runScript(redis, script, { keys: [held], args: [refusals] })) === 1;
    },
  };
}

/** As good as full: it waits, and the streams of others do not. */
function countNone(error: unknown): number {
  const failure = toRedisFailure(error);
  if (isStreamAtFault(failure)) return Number.POSITIVE_INFINITY;
  throw failure;
}

function fail(error: unknown): never {
  throw error instanceof Failure ? error : toRedisFailure(error);
}
