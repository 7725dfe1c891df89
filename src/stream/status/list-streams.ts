/**
 * Lists the streams of a market: those of the current shards, and those of a former, larger number of shards
 * until they are empty.
 */
import { Failure } from '../../domain/failure.ts';
import type { RedisClient } from '../connection/connection.ts';
import { isStreamAtFault } from '../connection/outage.ts';
import { SHARDS_MAX, type StreamKeys, streamsOf } from '../keys.ts';
import { loadScript, runScripts } from '../scripts.ts';

type ListStreams = (corridors: Iterable<string>) => Promise<StreamKeys[]>;

/** One round trip on a single node; none with SHARDS_MAX shards. Throws a Failure. */
export function createListStreams(redis: RedisClient, market: string, shards: number): ListStreams {
  const script = loadScript('count-waiting-2');
  return async (corridors) => {
    const all = streamsOf(market, corridors, SHARDS_MAX);
    const former = all.filter(({ shard }) => shard >= shards);
    const calls = former.map(({ transactions, retries }) => ({
      keys: [transactions, retries],
      args: [],
    }));
    const counts = calls.length === 0 ? [] : await runScripts(redis, script, calls);
    const left = new Set(former.filter((_, index) => isLeft(counts[index])));
    return all.filter((stream) => stream.shard < shards || left.has(stream));
  };
}

/** A key that is no stream any more holds nothing that a worker could read. */
function isLeft(count: unknown): boolean {
  if (!(count instanceof Failure)) return Number(count) > 0;
  if (isStreamAtFault(count)) return false;
  throw count;
}
