/** What analysts ask, bound to Postgres, and to Redis where the versions of profiles stand. */
import type { PartyKind } from '../../core/domain/party.ts';
import type { Models } from '../../core/score/judge.ts';
import type { Guards } from '../../kit/breakers/guards.ts';
import type { Config } from '../../kit/config/config.ts';
import type { Databases } from '../../kit/database/replica/choose-database.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import { answerWithin } from '../../kit/process/settles-within.ts';
import type { RedisClient } from '../../kit/redis/connection.ts';
import { Failure } from '../../kit/words/failure.ts';
import { createReading, type Reading } from './queries/reading.ts';
import { readStamp } from './store/read-stamp.ts';

/** A read waits so long for Redis: making the answer anew takes some milliseconds. */
const VERSION_MS_MAX = 100;

type ReadingResources = {
  readonly databases: Databases;
  readonly models: Models;
  readonly ingest: { readonly corridors: () => ReadonlySet<string> };
  readonly metrics: Pick<Metrics, 'cacheHits' | 'cacheMisses'>;
  readonly redis: RedisClient;
  readonly guards: Pick<Guards, 'redis'>;
};

export function bindReading(
  config: Pick<Config, 'RISK_MARKET'>,
  resources: ReadingResources,
): Reading {
  const { redis, guards, ingest } = resources;
  const { RISK_MARKET: market } = config;
  const readProfileVersion = async (party: PartyKind, id: string) => {
    try {
      const stamp = guards.redis.run(() => readStamp(redis, market, party, id));
      return await answerWithin(stamp, VERSION_MS_MAX);
    } catch (error) {
      if (error instanceof Failure) return undefined;
      throw error;
    }
  };
  const reading = createReading({ ...resources, corridors: ingest.corridors, readProfileVersion });
  // A server that was restarted or replaced may lack the last appends, so its stamps may be older than our answers.
  redis.on('ready', reading.forgetProfiles);
  return reading;
}
