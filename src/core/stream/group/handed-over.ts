/**
 * Operators' view of entries that no running worker reads: lists waiting versions, and takes an entry out of a
 * stream.
 */
import { type RedisClient, throwRedisFailure } from '../../../kit/redis/connection.ts';
import { fieldOf } from '../entries/entry.ts';
import { GROUP, type StreamKeys } from '../keys.ts';
import { loadScript, runScript } from '../scripts.ts';
import { listConsumers } from './consumer-group.ts';
import { consumerOfVersion, versionOfConsumer } from './versions.ts';

/** Counts the entries of a stream that were handed over, version by version. Throws a Failure. */
export async function listHandedOver(
  redis: RedisClient,
  { transactions }: StreamKeys,
): Promise<{ readonly version: string; readonly entries: number }[]> {
  return (await listConsumers(redis, transactions)).flatMap(({ name, pending }) => {
    const version = versionOfConsumer(name);
    return version === undefined || pending === 0 ? [] : [{ version, entries: pending }];
  });
}

export type KeptEntry = { readonly id: string; readonly packed: Buffer | undefined };

/** The oldest of them. Throws a Failure. */
export async function readHandedOver(
  redis: RedisClient,
  { transactions }: StreamKeys,
  version: string,
  entriesMax: number,
): Promise<KeptEntry[]> {
  const consumer = consumerOfVersion(version);
  const rows = await redis
    .xpending(transactions, GROUP, '-', '+', entriesMax, consumer)
    .catch(throwRedisFailure);
  // The client types rows as unknown; Redis begins each with the id.
  const ids = rows.map((row) => String((row as unknown[])[0]));
  const found = await Promise.all(ids.map((id) => redis.xrangeBuffer(transactions, id, id))).catch(
    throwRedisFailure,
  );
  return ids.map((id, index) => ({ id, packed: fieldOf(found[index]?.[0]?.[1] ?? [], 'd') }));
}

const dropScript = loadScript('drop-handed-over-2');

/**
 * Removes entries once their transactions are committed elsewhere; returns how many still existed. Throws a
 * Failure.
 */
export async function dropHandedOver(
  redis: RedisClient,
  { transactions, counts }: StreamKeys,
  version: string,
  ids: readonly string[],
): Promise<number> {
  const args = [GROUP, consumerOfVersion(version), ...ids];
  return Number(await runScript(redis, dropScript, { keys: [transactions, counts], args }));
}
