/** Which workers of a market are alive: each says so about once a second, by the server's clock. */
import { type RedisClient, toRedisFailure } from './connection.ts';
import { workersKey } from './keys.ts';
import { loadScript, runScript } from './scripts.ts';

export type WorkerList = {
  /** Says that this worker is alive; resolves to the names of all that are. Throws a Failure. */
  readonly announce: () => Promise<string[]>;
  /** Takes this worker off the list. Throws a Failure. */
  readonly leave: () => Promise<void>;
};

/** Three announcements that did not come. */
const ALIVE_MS = 3000;

export function createWorkerList(redis: RedisClient, market: string, name: string): WorkerList {
  const script = loadScript('announce-1');
  const key = workersKey(market);
  return {
    async announce() {
      const names = await runScript(redis, script, { keys: [key], args: [name, ALIVE_MS] });
      return Array.isArray(names) ? names.map(String) : [];
    },
    async leave() {
      await redis.zrem(key, name).catch((error: unknown) => {
        throw toRedisFailure(error);
      });
    },
  };
}
