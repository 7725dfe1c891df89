/**
 * Drops profiles in Redis whose past has changed otherwise than by a transaction: rebuilt when next needed. Copies in
 * memory no longer find their stamp, and a snapshot made of what was read before is refused.
 */
import { callsOf } from './by-slot.ts';
import { type RedisClient, toRedisFailure } from './connection.ts';
import { type PartyKind, profileKey, profileSlot } from './keys.ts';

type Party = { readonly kind: PartyKind; readonly id: string };

/** Resolves when no profile of these parties that was made before will be used again. Throws a Failure. */
export type InvalidateProfiles = (parties: readonly Party[]) => Promise<void>;

export function createInvalidateProfiles(redis: RedisClient, market: string): InvalidateProfiles {
  return async (parties) => {
    const places = parties.map(({ kind, id }) => {
      const slot = profileSlot(id);
      return { slot, key: profileKey(market, kind, id, slot) };
    });
    // A full Redis refuses none of it.
    const removals = callsOf(redis, places).map(({ items }) =>
      redis.unlink(items.map(({ key }) => key)),
    );
    await Promise.all(removals).catch((error: unknown) => {
      throw toRedisFailure(error);
    });
  };
}
