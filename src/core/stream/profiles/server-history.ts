/**
 * Proves that profiles in Redis are current: a server that was restarted or promoted may lack the last writes, and a log without
 * them looks current. So each slot of profiles stores the history of writes that it belongs to, scripts compare it with the
 * server's (lua/of-history.lua), and profiles of another history are removed.
 */
import type { Redis } from 'ioredis';
import { toRedisFailure } from '../../../kit/redis/connection.ts';
import { infoField } from '../../../kit/redis/facts.ts';
import { PROFILE_SLOTS, profileHistoryKey, profileKeyPattern, slotTag } from '../keys.ts';

const SCAN_KEYS = 1000;
const SLOTS = Array.from({ length: PROFILE_SLOTS }, (_, slot) => slot);

/**
 * Removes the node's profiles in slots with another history, then records its own for the slots. Several
 * workers may do so at once: a worker that is behind removes logs that other workers have begun meanwhile, and these logs are
 * rebuilt again.
 */
export async function adoptNode(node: Redis, market: string): Promise<void> {
  const history = infoField(await node.info('replication'), 'master_replid') ?? '';
  const found = await Promise.all(SLOTS.map((slot) => readHistory(node, market, slot)));
  const slots = SLOTS.filter((slot) => found[slot] !== undefined && found[slot] !== history);
  const last = slots.at(-1);
  if (last === undefined) return;
  const tags = new Set(slots.map((slot) => slotTag(market, slot)));
  const isDone = async () => (await readHistory(node, market, last)) === history;
  if (!(await purge(node, market, tags, isDone))) return;
  for (const slot of slots) {
    await node.set(profileHistoryKey(market, slot), history).catch(throwUnlessFull);
  }
}

/** Null where the slot has none yet; undefined where another node of a cluster has the slot. */
async function readHistory(node: Redis, market: string, slot: number) {
  try {
    return await node.get(profileHistoryKey(market, slot));
  } catch (error) {
    if (MOVED.has(toRedisFailure(error).code)) return undefined;
    throw error;
  }
}

/** Error of a node for a slot that it does not have, or is about to hand over. */
const MOVED = new Set(['REDIS_MOVED', 'REDIS_ASK', 'REDIS_CLUSTERDOWN']);

/** A full Redis refuses only writes that do not matter here: without them profiles stay absent. */
function throwUnlessFull(error: unknown): void {
  const failure = toRedisFailure(error);
  if (failure.code !== 'REDIS_OOM') throw failure;
}

/** Removes all profiles under these tags; false where another worker was done before. */
async function purge(
  node: Redis,
  market: string,
  tags: ReadonlySet<string>,
  isDone: () => Promise<boolean>,
): Promise<boolean> {
  let cursor = '0';
  do {
    const [next, keys] = await node.scan(
      ...([cursor, 'MATCH', profileKeyPattern(market), 'COUNT', SCAN_KEYS] as const),
    );
    cursor = next;
    if (await isDone()) return false;
    const foreign = keys.filter((key) => tags.has(key.slice(0, key.indexOf('}') + 1)));
    // A command for each key, as keys of a page lie in different slots of a cluster.
    await Promise.all(foreign.map((key) => node.unlink(key)));
  } while (cursor !== '0');
  return true;
}
