/** Where workers find the profiles of parties, and what more memory of Redis would bring. */
import { z } from 'zod';
import { readMemory } from '../../../core/stream/memory/memory.ts';
import { PROFILE_TIERS, type ReportAt } from '../../../core/stream/status/workers.ts';
import {
  type RedisClient,
  throwRedisFailure,
  writableNodes,
} from '../../../kit/redis/connection.ts';

export const profileTiersSchema = z
  .object({
    reads: z.object({ worker: z.int(), redis: z.int(), snapshots: z.int(), rows: z.int() }).meta({
      description:
        'Profiles that workers read in the last minute, by where they found them: their own memory, Redis, snapshots in Postgres, rows in Postgres.',
    }),
    redis_keys: z.int().meta({ description: 'Nearly all are profiles, one a party.' }),
    parties_without_room: z.int().meta({
      description:
        'Parties of the last ten minutes whose profiles Redis had no room for, as one worker estimates them; 0 below 65 % of its memory.',
    }),
    maxmemory_bytes: z.int().nullable().meta({ description: 'Of Redis; null without a bound.' }),
    maxmemory_bytes_for_all: z
      .int()
      .nullable()
      .meta({ description: 'With as much the profiles of these parties would fit, too.' }),
  })
  .meta({ id: 'ProfileTiers' });
export type ProfileTiersJson = z.infer<typeof profileTiersSchema>;

/** @throws Failure */
export async function readProfileTiers(
  redis: RedisClient,
  reports: readonly ReportAt[],
): Promise<ProfileTiersJson> {
  const [memory, sizes] = await Promise.all([
    readMemory(redis),
    Promise.all(writableNodes(redis).map((node) => node.dbsize())).catch(throwRedisFailure),
  ]);
  const maxBytes = [...memory.values()].reduce((sum, one) => sum + one.maxBytes, 0);
  const keys = sizes.reduce((sum, size) => sum + size, 0);
  return toProfileTiers(reports, keys, maxBytes);
}

/**
 * @param reports of the last minute, oldest first
 * @param maxBytes infinite without a bound
 */
export function toProfileTiers(
  reports: readonly ReportAt[],
  keys: number,
  maxBytes: number,
): ProfileTiersJson {
  const reads = { worker: 0, redis: 0, snapshots: 0, rows: 0 };
  let without = 0;
  for (const [, own] of Map.groupBy(reports, ({ report }) => report.name)) {
    const [first, last] = [own[0]?.report, own.at(-1)?.report];
    if (first === undefined || last === undefined) continue;
    for (const tier of PROFILE_TIERS) reads[tier] += last.profiles[tier] - first.profiles[tier];
    without = Math.max(without, last.partiesWithoutRoom);
  }
  const isBounded = Number.isFinite(maxBytes);
  return {
    reads,
    redis_keys: keys,
    parties_without_room: without,
    maxmemory_bytes: isBounded ? maxBytes : null,
    maxmemory_bytes_for_all:
      isBounded && keys > 0 ? Math.round((maxBytes * (keys + without)) / keys) : null,
  };
}

export const profileTiersExample: ProfileTiersJson = {
  reads: { worker: 91_204, redis: 18_340, snapshots: 6120, rows: 211 },
  redis_keys: 61_400,
  parties_without_room: 23_900,
  maxmemory_bytes: 268_435_456,
  maxmemory_bytes_for_all: 372_925_483,
};
