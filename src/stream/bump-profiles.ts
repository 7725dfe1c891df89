/** Makes profiles in Redis invalid whose past has changed otherwise than by a transaction: rebuilt when next needed. */
import { randomBytes } from 'node:crypto';
import { Failure } from '../domain/failure.ts';
import type { RedisClient } from './connection.ts';
import { type PartyKind, profileKey, profileSlot } from './keys.ts';
import { loadScript, runScripts } from './scripts.ts';

type Party = { readonly kind: PartyKind; readonly id: string };

/** Resolves when no profile of these parties that was made before will be used again. Throws a Failure. */
export type BumpProfiles = (parties: readonly Party[]) => Promise<void>;

type BumpProfilesOptions = {
  readonly redis: RedisClient;
  readonly market: string;
  /** Bytes of a header; the last one, its format, is zero: none. */
  readonly headerBytes: number;
  readonly ttlSeconds: number;
};

export function createBumpProfiles(options: BumpProfilesOptions): BumpProfiles {
  const { redis, market, headerBytes, ttlSeconds } = options;
  const script = loadScript('bump-profiles-n');
  return async (parties) => {
    const header = Buffer.concat([randomBytes(headerBytes - 1), Buffer.alloc(1)]);
    const slots = Map.groupBy(parties, ({ id }) => profileSlot(id));
    const calls = [...slots].map(([slot, ofSlot]) => ({
      keys: ofSlot.map(({ kind, id }) => profileKey(market, kind, id, slot)),
      args: [header, ttlSeconds],
    }));
    if (calls.length === 0) return;
    const replies = await runScripts(redis, script, calls);
    const failed = replies.find((reply) => reply instanceof Failure);
    if (failed !== undefined) throw failed;
  };
}
