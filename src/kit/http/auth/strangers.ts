/**
 * Limits the lookups of keys that this process does not know ("strangers"), as each costs a query of Postgres. Every address
 * has a budget, and all addresses share a second one. A lookup holds its place in both until its outcome is known: a key that
 * is found gives the place back, an unknown one has used it up. So a key that meets an empty budget waits while lookups of its
 * address are under way, and is refused once none of them can give a place back.
 */

import { LRUCache } from 'lru-cache';
import { Problem } from '../answers/problem.ts';

export type Strangers = ReturnType<typeof createStrangers>;

/** Lookups a second for all addresses together, whose number is unbounded; a burst may take ten seconds' worth. */
export const ALL_LOOKUPS_PER_SECOND = 100;
/**
 * Keys that may wait for each lookup under way, as each holds a slot in flight. Beside the fifty lookups that an address
 * may have at once, 200 wait: together about as many as there are slots. A flood has one lookup under way at most times.
 */
export const WAITING_PER_LOOKUP = 4;
const ALL = 'all';
const DETAIL =
  'Too many unknown keys arrive from this address, or from all addresses; known keys are let in.';
const MOMENT_MS = 1000;

/** Lookups under way for one address; each ends the wait of all that wait, and these try again in their order. */
type UnderWay = { lookups: number; readonly waiting: (() => void)[] };

/** Size of a bucket, in seconds of its rate. */
export const BURST_SECONDS = 10;
/** An evicted name starts again with a full bucket. */
const BUCKETS_MAX = 10_000;

/**
 * @param perSecond lookups a second for one address
 * @param nowMs monotonic clock
 */
export function createStrangers(
  perSecond: number,
  nowMs: () => number,
  allPerSecond = ALL_LOOKUPS_PER_SECOND,
) {
  const each = createRateLimit(perSecond, nowMs);
  const all = createRateLimit(allPerSecond, nowMs);
  /** An address has an entry while it has lookups under way. */
  const underWay = new Map<string, UnderWay>();
  let refusedAtMs = Number.NEGATIVE_INFINITY;

  const waitSeconds = (address: string) =>
    Math.max(each.waitSeconds(address), all.waitSeconds(ALL));
  /** Where a key may wait; undefined where there is no room, or nothing to wait for. */
  const waitingRoom = (address: string) => {
    const { lookups, waiting } = underWay.get(address) ?? { lookups: 0, waiting: [] };
    return waiting.length < WAITING_PER_LOOKUP * lookups ? waiting : undefined;
  };
  const refuse = (seconds: number): Problem => {
    refusedAtMs = nowMs();
    const headers = { 'Retry-After': String(seconds) };
    return new Problem('too-many-unknown-keys', DETAIL, { headers });
  };
  const enter = (address: string): UnderWay => {
    each.take(address);
    all.take(ALL);
    const current = underWay.get(address) ?? { lookups: 0, waiting: [] };
    underWay.set(address, current);
    current.lookups += 1;
    return current;
  };
  const leave = (address: string, current: UnderWay, isUnknown: boolean) => {
    current.lookups -= 1;
    if (current.lookups === 0) underWay.delete(address);
    if (!isUnknown) {
      each.giveBack(address);
      all.giveBack(ALL);
    }
    for (const wake of current.waiting.splice(0)) wake();
  };
  return {
    /**
     * Finds a key within the budgets.
     * @throws Problem where the budgets are empty and the lookup may not wait
     */
    lookUp: async <Key>(address: string, find: () => Promise<Key | undefined>) => {
      for (let seconds = waitSeconds(address); seconds > 0; seconds = waitSeconds(address)) {
        const room = waitingRoom(address);
        if (room === undefined) throw refuse(seconds);
        await new Promise<void>((resolve) => room.push(resolve));
      }
      const current = enter(address);
      let isUnknown = false;
      try {
        const key = await find();
        isUnknown = key === undefined;
        return key;
      } finally {
        leave(address, current, isUnknown);
      }
    },
    /** The refusal that `lookUp` would give now; undefined where `lookUp` would look for the key, or wait. */
    refusal: (address: string) => {
      const seconds = waitSeconds(address);
      return seconds === 0 || waitingRoom(address) !== undefined ? undefined : refuse(seconds);
    },
    /** Whether a request was refused within the last second. Otherwise `refusal` need not be asked for each request. */
    areMany: () => nowMs() - refusedAtMs < MOMENT_MS,
  };
}

/**
 * Token buckets, one per name: a bucket holds ten seconds' worth and is refilled steadily. Each API process counts for
 * itself, also while Redis is away: strangers.ts counts lookups of unknown keys, which belong to no client that has a limit.
 * @param nowMs monotonic clock
 */
export function createRateLimit(requestsPerSecond: number, nowMs: () => number) {
  const requestsMax = requestsPerSecond * BURST_SECONDS;
  const buckets = new LRUCache<string, { readonly requests: number; readonly atMs: number }>({
    max: BUCKETS_MAX,
  });
  const requestsIn = (name: string) => {
    const { requests, atMs } = buckets.get(name) ?? { requests: requestsMax, atMs: 0 };
    return Math.min(requestsMax, requests + ((nowMs() - atMs) / 1000) * requestsPerSecond);
  };
  const add = (name: string, requests: number) =>
    buckets.set(name, { requests: requestsIn(name) + requests, atMs: nowMs() });
  /** Seconds until a bucket holds one request, rounded up; 0 where it holds one now. */
  const waitSeconds = (name: string) => {
    const missing = 1 - requestsIn(name);
    return missing <= 0 ? 0 : Math.max(1, Math.ceil(missing / requestsPerSecond));
  };
  return {
    waitSeconds,
    /** Takes one request out of a bucket. @returns 0, or where the bucket holds none `waitSeconds` */
    take: (name: string): number => {
      const seconds = waitSeconds(name);
      if (seconds === 0) add(name, -1);
      return seconds;
    },
    /** Returns one request to a bucket. */
    giveBack: (name: string): void => {
      if (buckets.has(name)) add(name, 1);
    },
  };
}
