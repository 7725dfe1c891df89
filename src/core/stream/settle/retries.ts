/** Moves due retries back into their streams. Due times are by Redis' own clock, as settle wrote them. */
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { ENTRY_VERSION, type PackedEntry } from '../entries/entry.ts';
import type { StreamKeys } from '../keys.ts';
import { loadForStreams, runForStreams } from '../scripts.ts';

/** Entries, of one transaction each, per stream and call: bounds how long the script holds Redis. */
const PROMOTE_ENTRIES_MAX = 500;

const script = loadForStreams('promote-retries-3');

/** Moves due retries of all these streams; returns how many entries moved. Throws a Failure. */
export async function promoteRetries(
  redis: RedisClient,
  streams: readonly StreamKeys[],
): Promise<number> {
  const keys = streams.map(({ retries, transactions, counts }) => [retries, transactions, counts]);
  const replies = await runForStreams(redis, script, keys, [PROMOTE_ENTRIES_MAX]);
  const failed = replies.find((reply) => reply instanceof Failure);
  if (failed !== undefined) throw failed;
  return replies.reduce((sum: number, reply) => sum + Number(reply), 0);
}

const HEAD_END = '\n';

/**
 * A member of the retries: an entry of one, as promote-retries-3 unpacks it. It names its version, as the
 * worker that moves it may read another one.
 */
export function packRetry({ head, packed }: PackedEntry): Buffer {
  return Buffer.concat([Buffer.from(`${ENTRY_VERSION} ${head}${HEAD_END}`, 'latin1'), packed]);
}
