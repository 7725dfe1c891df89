/**
 * Invalidates cached profiles after a label changed their history; they are rebuilt when next needed. Copies in
 * memory no longer find their stamp, and a snapshot of earlier reads is refused.
 */
import { callsOf, type RedisClient, throwRedisFailure } from '../../../kit/redis/connection.ts';
import type { PartyKind } from '../../domain/transaction.ts';
import { profileKey, profileSlot } from '../keys.ts';

export type Party = { readonly kind: PartyKind; readonly id: string };

/** Resolves when no earlier profile of these parties will be used again. Throws a Failure. */
export async function invalidateProfiles(
  redis: RedisClient,
  market: string,
  parties: readonly Party[],
): Promise<void> {
  const keys = parties.map(({ kind, id }) => {
    const slot = profileSlot(id);
    return { slot, key: profileKey(market, kind, id, slot) };
  });
  const calls = callsOf(redis, keys).map(({ parts }) => parts.map(({ key }) => key));
  // A full Redis allows deletions.
  await Promise.all(calls.map((keys) => redis.unlink(keys))).catch(throwRedisFailure);
}
