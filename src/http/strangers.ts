/**
 * Limits the lookups of keys that this process does not know ("strangers"), as each costs a query of Postgres. Every address
 * has a budget, and all addresses share a second one; beyond either a request is refused without a lookup. A lookup that
 * finds its key is given back.
 */
import { Problem } from './problem.ts';
import { createRateLimit } from './rate-limit.ts';

export type Strangers = {
  /** The refusal for an address that has no lookups left; undefined while it has some. */
  readonly refusal: (address: string) => Problem | undefined;
  /** Takes one lookup from the budget of an address. @throws Problem where none is left */
  readonly take: (address: string) => void;
  /** Gives the lookup back: the key was found, or the lookup failed. */
  readonly giveBack: (address: string) => void;
  /** Whether a request was refused within the last second. Otherwise `refusal` need not be asked for each request. */
  readonly areMany: () => boolean;
};

/** Lookups a second for all addresses together, whose number is unbounded; a burst may take ten seconds' worth. */
export const ALL_LOOKUPS_PER_SECOND = 100;
const ALL = 'all';
const DETAIL =
  'Too many unknown keys arrive from this address, or from all addresses; known keys are let in.';
const MOMENT_MS = 1000;

/**
 * @param perSecond lookups a second for one address
 * @param nowMs monotonic clock
 */
export function createStrangers(
  perSecond: number,
  nowMs: () => number,
  allPerSecond = ALL_LOOKUPS_PER_SECOND,
): Strangers {
  const each = createRateLimit(perSecond, nowMs);
  const all = createRateLimit(allPerSecond, nowMs);
  let refusedAtMs = Number.NEGATIVE_INFINITY;
  const refusal = (address: string): Problem | undefined => {
    const waitSeconds = Math.max(each.waitSeconds(address), all.waitSeconds(ALL));
    if (waitSeconds === 0) return undefined;
    refusedAtMs = nowMs();
    const headers = { 'Retry-After': String(waitSeconds) };
    return new Problem('too-many-unknown-keys', DETAIL, { headers });
  };
  return {
    refusal,
    take: (address) => {
      const refused = refusal(address);
      if (refused !== undefined) throw refused;
      each.take(address);
      all.take(ALL);
    },
    giveBack: (address) => {
      each.giveBack(address);
      all.giveBack(ALL);
    },
    areMany: () => nowMs() - refusedAtMs < MOMENT_MS,
  };
}
