/** Puts retries that are due back into their streams. Due times are Redis' own clock, as settle wrote them. */
import { Failure } from '../domain/failure.ts';
import type { RedisClient } from './connection.ts';
import { ENTRY_VERSION } from './entry.ts';
import type { StreamKeys } from './keys.ts';
import { loadScript, runScripts } from './scripts.ts';

/** Entries a stream and call: bounds how long the script holds Redis. */
const PROMOTE_ENTRIES_MAX = 500;

/** Moves what is due in all of these streams; returns how many entries moved. Throws a Failure. */
export type PromoteRetries = (streams: readonly StreamKeys[]) => Promise<number>;

export function createPromoteRetries(redis: RedisClient): PromoteRetries {
  const script = loadScript('promote-retries-2');
  return async (streams) => {
    const replies = await runScripts(
      redis,
      script,
      streams.map(({ retries, transactions }) => ({
        keys: [retries, transactions],
        args: [ENTRY_VERSION, PROMOTE_ENTRIES_MAX],
      })),
    );
    const failed = replies.find((reply) => reply instanceof Failure);
    if (failed !== undefined) throw failed;
    return replies.reduce((sum: number, reply) => sum + Number(reply), 0);
  };
}
