/**
 * Bounds the memory of profiles, in favour of the streams. Above their share of Redis' memory no new logs are begun,
 * and logs give back their spare memory, page by page. If a page gives back little, its logs that were idle for longest
 * are dropped; they are rebuilt from Postgres when needed.
 */
import type { Redis } from 'ioredis';
import { type RedisClient, toRedisFailure, writableNodes } from '../../../kit/redis/connection.ts';
import { readMemory, usedShare } from '../../../kit/redis/memory.ts';
import { profileKeyPattern, spareKeyOf } from '../keys.ts';
import { loadScript, runScripts } from '../scripts.ts';

/** Share of maxmemory above which profiles give way. */
const SHARE_MAX = 0.7;
/** Dropping ends at this share, so that it is not needed again at once. */
const SHARE_AFTER = 0.65;
/** Bounds one check of one node: 64,000 keys at most. */
const PAGES_MAX = 64;
const PAGE_KEYS = 1000;

/** Share of spare bytes above which a log is copied. `APPEND` leaves half of a log spare when it has to grow. */
const SPARE_SHARE = 0.25;
/** Share of its bytes: a page that gave back as much loses no log. */
const GIVEN_BACK_SHARE = 0.1;

export function createProfileBudget(redis: RedisClient, market: string) {
  const script = loadScript('trim-profile-2');
  /** Cursor of each node after the last check. */
  const cursors = new Map<string, string>();
  let isExceeded = false;
  /** Resolves to the share of their bytes that these logs gave back. */
  const trim = async (node: Redis, keys: readonly string[]): Promise<number> => {
    const calls = keys.map((key) => ({ keys: [key, spareKeyOf(key)], args: [SPARE_SHARE] }));
    let [bytes, givenBack] = [0, 0];
    for (const reply of await runScripts(node, script, calls)) {
      // A log that has just gone, or moved to another node, gives back nothing.
      if (!Array.isArray(reply)) continue;
      bytes += Number(reply[0]);
      givenBack += Number(reply[1]);
    }
    return bytes === 0 ? 0 : givenBack / bytes;
  };
  const keepNode = async (node: Redis): Promise<{ share: number; dropped: number }> => {
    let share = usedShare(await readMemory(node));
    if (share <= SHARE_MAX) return { share, dropped: 0 };
    isExceeded = true;
    const name = `${node.options.host}:${node.options.port}`;
    let dropped = 0;
    for (let page = 0; page < PAGES_MAX && share > SHARE_AFTER; page++) {
      const [cursor, keys] = await node.scan(
        ...([cursors.get(name) ?? '0', 'MATCH', profileKeyPattern(market)] as const),
        ...(['COUNT', PAGE_KEYS] as const),
      );
      cursors.set(name, cursor);
      const gaveBack = await trim(node, keys);
      if (gaveBack < GIVEN_BACK_SHARE) dropped += await dropIdle(node, keys);
      share = usedShare(await readMemory(node));
    }
    return { share, dropped };
  };
  return {
    /** Whether the last check found too little room. */
    isExceeded: () => isExceeded,
    /** Checks all nodes; resolves to how many logs were dropped. Throws a Failure. */
    async keep(): Promise<number> {
      try {
        const looks = [];
        for (const node of writableNodes(redis)) looks.push(await keepNode(node));
        isExceeded = looks.some(({ share }) => share > SHARE_MAX);
        return looks.reduce((sum, { dropped }) => sum + dropped, 0);
      } catch (error) {
        throw toRedisFailure(error);
      }
    },
  };
}

/** Drops the half of some logs that were idle for longest. */
async function dropIdle(node: Redis, keys: readonly string[]): Promise<number> {
  if (keys.length === 0) return 0;
  const pipeline = node.pipeline();
  for (const key of keys) pipeline.object('IDLETIME', key);
  const replies = (await pipeline.exec()) ?? [];
  const idle = keys.map((key, index) => ({ key, seconds: Number(replies[index]?.[1] ?? 0) }));
  idle.sort((a, b) => b.seconds - a.seconds);
  const oldest = idle.slice(0, Math.ceil(idle.length / 2));
  // One command a key, as keys of a page lie in different slots of a cluster.
  const removals = node.pipeline();
  for (const { key } of oldest) removals.unlink(key);
  await removals.exec();
  return oldest.length;
}
