/**
 * Invalidates cached profiles after a label changed their history; they are rebuilt when next needed. Copies in
 * memory no longer find their stamp, and a snapshot of earlier reads is refused.
 */
import { callsOf } from '../connection/by-slot.ts';
import { type RedisClient, toRedisFailure } from '../connection/connection.ts';
import { type PartyKind, profileKey, profileSlot } from '../keys.ts';

type Party = { readonly kind: PartyKind; readonly id: string };

/** Resolves when no earlier profile of these parties will be used again. Throws a Failure. */
export type InvalidateProfiles = (parties: readonly Party[]) => Promise<void>;

export function createInvalidateProfiles(redis: RedisClient, market: string): InvalidateProfiles {
  return async (parties) => {
    const places = parties.map(({ kind, id }) => {
      const slot = profileSlot(id);
      return { slot, key: profileKey(market, kind, id, slot) };
    });
    // A full Redis allows deletions.
    const removals = callsOf(redis, places).map(({ items }) =>
      redis.unlink(items.map(({ key }) => key)),
    );
    await Promise.all(removals).catch((error: unknown) => {
      throw toRedisFailure(error);
    });
  };
}
