/**
 * What strangers may ask: those whose key this process has not found yet. Each has to be looked up in Postgres, so an
 * address has a few lookups, and all together have some more; beyond that they are turned away before. A key that is
 * found costs nothing of it.
 */
import { Problem } from './problem.ts';
import { createRateLimit } from './rate-limit.ts';

export type Strangers = {
  /** Why no more is looked up for an address, where that is so. */
  readonly refusal: (address: string) => Problem | undefined;
  /** Takes a lookup for an address; throws the refusal where none is left. */
  readonly take: (address: string) => void;
  /** Gives it back: the key is no stranger's, or nobody could tell. */
  readonly giveBack: (address: string) => void;
  /** Whether anybody was refused a moment ago. While nobody is, it need not be asked for whom. */
  readonly areMany: () => boolean;
};

/** Lookups a second for all addresses together, as there may be any number of them; ten seconds of them at once. */
export const ALL_LOOKUPS_PER_SECOND = 100;
const ALL = 'all';
const DETAIL =
  'Too many unknown keys come from this address, or from everywhere; a known one is let in.';
const MOMENT_MS = 1000;

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
