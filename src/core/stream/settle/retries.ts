/** Moves due retries back into their streams. Due times are by Redis' own clock, as settle wrote them. */
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { ENTRY_VERSION, type PackedEntry } from '../entries/entry.ts';
import type { StreamKeys } from '../keys.ts';
import { loadForStreams, runForStreams, runOnStreams, STREAMS_AT_ONCE } from '../scripts.ts';

/** Entries, of one transaction each, that a call of the script moves: bounds how long the script blocks Redis. */
const PROMOTE_ENTRIES_MAX = 500;

const script = loadForStreams('promote-retries-3');

/**
 * Moves due retries of all these streams: a call for many streams moves an even part of each, and a stream that may have more due
 * retries has a call of its own then. Returns how many entries moved. Throws a Failure.
 */
export async function promoteRetries(
  redis: RedisClient,
  streams: readonly StreamKeys[],
): Promise<number> {
  const keys = streams.map(({ retries, transactions, counts }) => [retries, transactions, counts]);
  const evenMax = Math.ceil(PROMOTE_ENTRIES_MAX / Math.min(STREAMS_AT_ONCE, keys.length));
  const even = await runForStreams(redis, script, keys, [evenMax]);
  const full = keys.filter((_, nth) => Number(even[nth]) === evenMax);
  const calls = full.map((own) => ({ keys: own, args: [PROMOTE_ENTRIES_MAX] }));
  const replies = [...even, ...(await runOnStreams(redis, script.each, calls))];
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
