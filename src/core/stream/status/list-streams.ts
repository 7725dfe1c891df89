/**
 * Lists the streams of a market: those of the current shards, and those of a former, larger number of shards
 * until they are empty.
 */
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { SHARDS_MAX, type StreamKeys, streamsOf } from '../keys.ts';
import { measureStreams } from './lag.ts';

/** One round trip on a single node; none with SHARDS_MAX shards. Throws a Failure. */
export async function listStreams(
  redis: RedisClient,
  market: string,
  shards: number,
  corridors: Iterable<string>,
): Promise<StreamKeys[]> {
  const all = streamsOf(market, corridors, SHARDS_MAX);
  const former = all.filter(({ shard }) => shard >= shards);
  const figures = await measureStreams(redis, former);
  // The age says that something is left where the counts cannot be read.
  const left = figures.filter(
    ({ lag, pending, retriesWaiting, oldestAgeMs }) =>
      lag + pending + retriesWaiting + oldestAgeMs > 0,
  );
  const filled = new Set(left.map(({ stream }) => stream));
  return all.filter((stream) => stream.shard < shards || filled.has(stream));
}
