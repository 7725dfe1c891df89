/** Reads what triggers of workers compare: from Postgres, Redis and Kafka, and from the processes of this machine. */
import { layoutOf } from '../../../core/domain/layout.ts';
import type { Switches } from '../../../core/domain/switch.ts';
import { countBacklog } from '../../../core/store/open-rows/backlog.ts';
import { readSwitches } from '../../../core/store/switches/switches.ts';
import { joinLags } from '../../../core/stream/kafka/lag.ts';
import { openKafkaOf } from '../../../core/stream/kafka/watch-kafka.ts';
import { streamsOf } from '../../../core/stream/keys.ts';
import { measureStreams } from '../../../core/stream/status/lag.ts';
import type { Config } from '../../../kit/config/config.ts';
import type { Database } from '../../../kit/database/pool.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import { processorSeconds } from '../../../kit/process/processor-time.ts';
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Reading } from './scaler.ts';

type Stores = {
  readonly config: Pick<Config, 'RISK_MARKET' | 'KAFKA_URL'>;
  readonly database: Database;
  readonly redis: RedisClient;
  readonly log: Log;
};

/**
 * Reads depth and age of what waits for workers in a market: the backlog without what workers are at. Between the two readings some
 * transactions move, so that a single depth may be below 0. What it returns throws a Failure.
 */
export function openQueueReader(
  stack: AsyncDisposableStack,
  { config, database, redis, log }: Stores,
): () => Promise<Reading> {
  const { RISK_MARKET: market, KAFKA_URL: url } = config;
  let switches: Pick<Switches, 'settings'> = { settings: new Map() };
  const corridors = () => new Set(switches.settings.keys());
  const layout = layoutOf(() => switches);
  const watched = { redis, market, switches: { corridors, layout }, metrics: null, log };
  const { readKafka } = openKafkaOf(url, stack, watched);
  return async () => {
    const [backlog, now] = await Promise.all([
      countBacklog(database.query),
      readSwitches(database),
    ]);
    switches = now;
    const ofStreams = await measureStreams(redis, streamsOf(market, corridors(), layout.shardsOf));
    const { isDown = false, lags = [] } = readKafka() ?? {};
    if (isDown) throw new Failure('unavailable', 'KAFKA_DOWN', 'Kafka does not answer');
    const measured = joinLags(ofStreams, lags, layout.logOf);
    const ages = measured.map(({ oldestAgeMs }) => oldestAgeMs);
    const atWorkers = measured.reduce((sum, { pending }) => sum + pending, 0);
    return {
      queue_depth_transactions: backlog - atWorkers,
      queue_age_seconds: Math.max(0, ...ages) / 1000,
    };
  };
}

/** Makes a function that returns the share of a processor that each process used since the call before, on average. */
export function createProcessorReader(nowMs: () => number) {
  let before = { atMs: nowMs(), seconds: new Map<number, number>() };
  return (pids: readonly number[]): Reading => {
    const seconds = new Map<number, number>();
    for (const pid of pids) {
      const used = processorSeconds(pid);
      if (used !== undefined) seconds.set(pid, used);
    }
    const last = before;
    before = { atMs: nowMs(), seconds };
    const spanSeconds = (before.atMs - last.atMs) / 1000;
    const shares = [...seconds].flatMap(([pid, used]) => {
      const earlier = last.seconds.get(pid);
      return earlier === undefined ? [] : (used - earlier) / spanSeconds;
    });
    if (shares.length === 0 || spanSeconds === 0) return {};
    return { processor_ratio: shares.reduce((sum, share) => sum + share, 0) / shares.length };
  };
}
