/**
 * What strangers may ask: those whose key this process has not found yet. Each has to be looked up in Postgres, so an
 * address has a few lookups, and all together have some more; beyond that they are turned away before. A key that is
 * found costs nothing of it.
 */
import { Problem } from './problem.ts';
import { createRateLimit } from './rate-limit.ts';

export type Strangers = {
  /** Takes a lookup for an address; throws a Problem where none is left. */
  readonly take: (address: string) => void;
  /** Gives it back: the key is no stranger's, or nobody could tell. */
  readonly giveBack: (address: string) => void;
};

/** Lookups a second for all addresses together, as there may be any number of them; ten seconds of them at once. */
export const ALL_LOOKUPS_PER_SECOND = 100;
const ALL = 'all';

/**
 * @param perSecond of one address
 * @param nowMs monotonic clock
 */
export function createStrangers(
  perSecond: number,
  nowMs: () => number,
  allPerSecond = ALL_LOOKUPS_PER_SECOND,
): Strangers {
  const each = createRateLimit(perSecond, nowMs);
  const all = createRateLimit(allPerSecond, nowMs);
  return {
    take: (address) => {
      const own = each.take(address);
      if (!own.isAllowed) throw turnedAway('Too many unknown keys came from this address.', own);
      const any = all.take(ALL);
      if (any.isAllowed) return;
      each.giveBack(address);
      throw turnedAway('Too many unknown keys come from everywhere.', any);
    },
    giveBack: (address) => {
      each.giveBack(address);
      all.giveBack(ALL);
    },
  };
}

function turnedAway(detail: string, { waitSeconds }: { readonly waitSeconds: number }): Problem {
  const headers = { 'Retry-After': String(waitSeconds) };
  return new Problem('too-many-unknown-keys', `${detail} A known one is let in.`, { headers });
}
