/**
 * Bounds the memory of profiles, and of what parties took of their limits, in favour of the streams: of a page of keys, the half that
 * was idle for longest is dropped. Profiles are rebuilt from Postgres when needed, and a party's limit begins anew.
 */
import type { Redis } from 'ioredis';
import { toRedisFailure, writableNodes } from '../../../kit/redis/connection.ts';
import { partyPattern } from '../keys.ts';
import { type MarketInRedis, type NodeMemory, toMemory, usedShare, WATERMARKS } from './memory.ts';

/** Bounds one check of one node: 64,000 keys at most. */
const PAGES_MAX = 64;
const PAGE_KEYS = 1000;
/** Share of a node's room that a worker's new profiles take until the next check, so that four workers do not take it twice. */
const ROOM_SHARE = 0.25;
/** Share of maxmemory that they may take in any case: above the bound others are dropped, so what is seen often changes places. */
const ROOM_MIN = 0.005;

/** Checks all nodes; resolves to how many keys were dropped. Throws a Failure. */
export async function boundProfiles(market: MarketInRedis): Promise<number> {
  let [dropped, largest, room] = [0, 0, Number.POSITIVE_INFINITY];
  try {
    for (const node of writableNodes(market.redis)) {
      const bounded = await boundNode(market, node);
      dropped += bounded.dropped;
      largest = Math.max(largest, usedShare([bounded.memory]));
      room = Math.min(room, roomOf(bounded.memory));
    }
  } catch (error) {
    throw toRedisFailure(error);
  }
  market.memory.profileBytes = room;
  market.memory.isCrowded = largest > WATERMARKS.waiting;
  market.memory.isScarce = largest > WATERMARKS.profilesAfter;
  return dropped;
}

/** Bytes that this process may install until the next check. */
function roomOf({ usedBytes, maxBytes }: NodeMemory): number {
  const free = WATERMARKS.profiles * maxBytes - usedBytes;
  return free < 0 ? 0 : Math.max(free * ROOM_SHARE, ROOM_MIN * maxBytes);
}

async function boundNode(
  { name: marketName, memory: watch }: MarketInRedis,
  node: Redis,
): Promise<{ readonly memory: NodeMemory; readonly dropped: number }> {
  let memory = await memoryOf(node);
  let dropped = 0;
  if (usedShare([memory]) <= WATERMARKS.profiles) return { memory, dropped };
  watch.profileBytes = 0;
  const name = `${node.options.host}:${node.options.port}`;
  for (let page = 0; page < PAGES_MAX && usedShare([memory]) > WATERMARKS.profilesAfter; page++) {
    const from = watch.cursors.get(name) ?? '0';
    const pattern = partyPattern(marketName);
    const [cursor, keys] = await node.scan(from, 'MATCH', pattern, 'COUNT', PAGE_KEYS);
    watch.cursors.set(name, cursor);
    dropped += await dropIdle(node, keys);
    memory = await memoryOf(node);
  }
  return { memory, dropped };
}

async function memoryOf(node: Redis): Promise<NodeMemory> {
  return toMemory(await node.info('memory'));
}

/** Drops the half of some keys that were idle for longest. */
async function dropIdle(node: Redis, keys: readonly string[]): Promise<number> {
  if (keys.length === 0) return 0;
  const pipeline = node.pipeline();
  for (const key of keys) pipeline.object('IDLETIME', key);
  const replies = (await pipeline.exec()) ?? [];
  const idle = keys.map((key, index) => ({ key, seconds: Number(replies[index]?.[1] ?? 0) }));
  idle.sort((a, b) => b.seconds - a.seconds);
  const oldest = idle.slice(0, Math.ceil(idle.length / 2));
  // A command for each key, as keys of a page lie in different slots of a cluster.
  const removals = node.pipeline();
  for (const { key } of oldest) removals.unlink(key);
  await removals.exec();
  return oldest.length;
}
