/**
 * Which streams are held: left to the reconciler, because older batches are owed to them. The mark lives
 * in Redis beside the stream, so that it holds for every API process; the producer sets it, the
 * reconciler takes it away.
 */
import { Failure } from '../domain/failure.ts';
import { type RedisClient, toRedisFailure } from './connection.ts';
import type { StreamKeys } from './keys.ts';
import { loadMeasureScript, measure } from './lag.ts';
import { loadScript, runScript } from './scripts.ts';

export type StreamState = {
  readonly stream: StreamKeys;
  /** Groups refused since the stream is held; null when it is not. */
  readonly refusals: number | null;
  /** Transactions it holds; infinite where nothing can be appended, as another type stands at its key. */
  readonly held: number;
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
  const measureScript = loadMeasureScript();
  return {
    read: async (streams) => await measure(redis, measureScript, streams, { pending: false }),
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

function fail(error: unknown): never {
  throw error instanceof Failure ? error : toRedisFailure(error);
}
