/**
 * Token buckets, one per name: a bucket holds ten seconds' worth and is refilled steadily. Each API process counts for
 * itself, also while Redis is away: strangers.ts counts lookups of unknown keys, which belong to no client that has a limit.
 */
import { LRUCache } from 'lru-cache';

/** Size of a bucket, in seconds of its rate. */
export const BURST_SECONDS = 10;
/** An evicted name starts again with a full bucket. */
const BUCKETS_MAX = 10_000;

/** @param nowMs monotonic clock */
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
