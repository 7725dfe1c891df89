/** The health of corridors as it is read now: by the newest rows, by their streams, and by the levels of this process. */
import type { Layout } from '../../core/domain/layout.ts';
import { joinLags } from '../../core/stream/kafka/lag.ts';
import type { ReadKafka } from '../../core/stream/kafka/watch-kafka.ts';
import { streamsOf } from '../../core/stream/keys.ts';
import { measureStreams } from '../../core/stream/status/lag.ts';
import type { Guards } from '../../kit/breakers/guards.ts';
import type { Database } from '../../kit/database/pool.ts';
import type { RedisClient } from '../../kit/redis/connection.ts';
import { isUnavailable } from '../../kit/words/failure.ts';
import { type CorridorFigures, readCorridorFigures } from './corridor-figures.ts';
import type { HealthFacts } from './health.ts';

type Parts = {
  readonly database: Pick<Database, 'query'>;
  readonly redis: RedisClient;
  readonly guards: Guards;
  readonly market: string;
  readonly layout: Pick<Layout, 'shardsOf' | 'logOf'>;
  readonly readKafka: ReadKafka;
  readonly nowMs: number;
};

export type CorridorHealth = CorridorFigures & {
  /** The caller adds whether the corridor is open. */
  readonly facts: Omit<HealthFacts, 'isOpen'>;
};

export async function readHealth(
  corridors: readonly string[],
  parts: Parts,
): Promise<CorridorHealth[]> {
  const [figures, ages] = await Promise.all([
    readCorridorFigures(parts.database, corridors, parts.nowMs),
    oldestAges(corridors, parts),
  ]);
  return figures.map((one) => {
    const { corridor, due, inTime, deadLetters } = one;
    const facts = {
      availability: due === 0 ? null : inTime / due,
      oldestAgeMs: ages.get(corridor) ?? 0,
      failures: deadLetters / Math.max(1, due),
      degradation: parts.guards.health.levelOf(corridor),
    };
    return { ...one, facts };
  });
}

/** The age of the oldest entry of each corridor that is not acknowledged; none while Redis does not answer, which the degradation says. */
async function oldestAges(
  corridors: readonly string[],
  { redis, guards, market, layout, readKafka }: Parts,
): Promise<ReadonlyMap<string, number>> {
  try {
    const streams = streamsOf(market, corridors, layout.shardsOf);
    const measured = await guards.redis.run(() => measureStreams(redis, streams));
    const ages = new Map<string, number>();
    const { lags = [] } = readKafka() ?? {};
    for (const { stream, oldestAgeMs } of joinLags(measured, lags, layout.logOf)) {
      ages.set(stream.corridor, Math.max(ages.get(stream.corridor) ?? 0, oldestAgeMs));
    }
    return ages;
  } catch (error) {
    if (isUnavailable(error)) return new Map();
    throw error;
  }
}
