/** One market as its reconciler works on it. */
import type { Database } from '../../kit/database/pool.ts';
import type { Writes } from '../../kit/duties/leadership.ts';
import type { RedisClient } from '../../kit/redis/connection.ts';
import { listCorridors } from '../store/transactions/corridors.ts';
import { type StreamKeys, streamsOf } from '../stream/keys.ts';

export type Market = {
  readonly name: string;
  /** Streams that each corridor has now. */
  readonly shards: number;
  readonly database: Database;
  /** The writes of the leader, which name its epoch. */
  readonly writes: Writes;
  readonly redis: RedisClient;
};

/** The first `shards` streams of each corridor; with SHARDS_MAX also those that are no longer appended to. */
export async function listStreams(
  { name, database }: Market,
  shards: number,
): Promise<StreamKeys[]> {
  return streamsOf(name, await listCorridors(database), shards);
}
