/** Reads what triggers of workers compare: from Postgres, from Redis, and from the processes of this machine. */
import { countBacklog } from '../../../core/store/open-rows/backlog.ts';
import { listCorridors } from '../../../core/store/transactions/corridors.ts';
import { allStreamsOf } from '../../../core/stream/keys.ts';
import { measureStreams } from '../../../core/stream/status/lag.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { processorSeconds } from '../../../kit/process/processor-time.ts';
import type { RedisClient } from '../../../kit/redis/connection.ts';
import type { Reading } from './scaler.ts';

/**
 * Depth and age of what waits for workers of this release in a market: the backlog without what workers are at and what only
 * another release reads. Between the two readings some transactions move, so that a single depth may be below 0. Throws a Failure.
 */
export async function readQueue(
  database: Database,
  redis: RedisClient,
  market: string,
): Promise<Reading> {
  const [backlog, corridors] = await Promise.all([
    countBacklog(database.query),
    listCorridors(database),
  ]);
  const measured = await measureStreams(redis, allStreamsOf(market, corridors));
  const ages = measured.map(({ readableAgeMs }) => readableAgeMs);
  const others = measured.reduce((sum, { pending, unread }) => sum + pending + unread, 0);
  return {
    queue_depth_transactions: backlog - others,
    queue_age_seconds: Math.max(0, ...ages) / 1000,
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
