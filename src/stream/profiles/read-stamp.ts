/**
 * Reads the stamp at the end of a party's log (append-profiles-n.lua). Each transaction that a worker folds ends the log with
 * another one, and a label that says fraud removes the log, so it is a version of what the party did.
 */
import type { RedisClient } from '../connection/connection.ts';
import { toRedisFailure } from '../connection/connection.ts';
import { type PartyKind, profileKey } from '../keys.ts';

const STAMP_BYTES = 8;

/** Undefined where the party has no log. Throws a Failure. */
export async function readStamp(
  redis: RedisClient,
  market: string,
  kind: PartyKind,
  partyId: string,
): Promise<string | undefined> {
  try {
    const stamp = await redis.getrangeBuffer(profileKey(market, kind, partyId), -STAMP_BYTES, -1);
    return stamp.length === STAMP_BYTES ? stamp.toString('base64') : undefined;
  } catch (error) {
    throw toRedisFailure(error);
  }
}
