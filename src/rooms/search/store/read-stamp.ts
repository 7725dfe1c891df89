/**
 * Reads the stamp at the end of a party's log (append-profiles-n.lua). Each transaction that a worker folds ends the log with
 * another one, and a label that says fraud removes the log, so it is a version of what the party did.
 */
import type { PartyKind } from '../../../core/domain/transaction.ts';
import { profileKey } from '../../../core/stream/keys.ts';
import { type RedisClient, throwRedisFailure } from '../../../kit/redis/connection.ts';

const STAMP_BYTES = 8;

/** Undefined where the party has no log. Throws a Failure. */
export async function readStamp(
  redis: RedisClient,
  market: string,
  kind: PartyKind,
  partyId: string,
): Promise<string | undefined> {
  const key = profileKey(market, kind, partyId);
  const stamp = await redis.getrangeBuffer(key, -STAMP_BYTES, -1).catch(throwRedisFailure);
  return stamp.length === STAMP_BYTES ? stamp.toString('base64') : undefined;
}
