/**
 * Operators' view of entries that no running worker reads: lists waiting versions, and takes an entry out of a
 * stream.
 */
import { type RedisClient, toRedisFailure } from '../connection/connection.ts';
import { GROUP, type StreamKeys } from '../keys.ts';
import { loadScript, runScript } from '../scripts.ts';
import { listConsumers } from './consumer-group.ts';
import { consumerOfVersion, versionOfConsumer } from './versions.ts';

type HandedOver = { readonly version: string; readonly entries: number };

/** Counts the entries of a stream that were handed over, version by version. Throws a Failure. */
export async function listHandedOver(
  redis: RedisClient,
  { transactions }: StreamKeys,
): Promise<HandedOver[]> {
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
  try {
    const consumer = consumerOfVersion(version);
    const rows = await redis.xpending(transactions, GROUP, '-', '+', entriesMax, consumer);
    // The client types rows as unknown; Redis begins each with the id.
    const ids = rows.map((row) => String((row as unknown[])[0]));
    const found = await Promise.all(ids.map((id) => redis.xrangeBuffer(transactions, id, id)));
    return ids.map((id, index) => {
      const fields = found[index]?.[0]?.[1] ?? [];
      const at = fields.findIndex((field, place) => place % 2 === 0 && String(field) === 'd');
      return { id, packed: at < 0 ? undefined : fields[at + 1] };
    });
  } catch (error) {
    throw toRedisFailure(error);
  }
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
