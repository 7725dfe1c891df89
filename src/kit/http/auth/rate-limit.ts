/**
 * Token buckets, one per name: a bucket holds ten seconds' worth and is refilled steadily. Each API process counts for
 * itself, also while Redis is away: strangers.ts counts lookups of unknown keys, which belong to no client that has a limit.
 */
import { LRUCache } from 'lru-cache';

/** Size of a bucket, in seconds of its rate. */
export const BURST_SECONDS = 10;
/** An evicted name starts again with a full bucket. */
const BUCKETS_MAX = 10_000;

type Allowance = {
  readonly isAllowed: boolean;
  /** Requests left, whole. */
  readonly remaining: number;
  /** Until the bucket is full again, rounded up; when it is empty, until it holds one request. */
  readonly waitSeconds: number;
};

export type RateLimit = {
  /** Takes one request out of a bucket that holds at least one. */
  readonly take: (name: string) => Allowance;
  /** Seconds until a bucket holds one request, rounded up; 0 where it holds one now. Takes nothing. */
  readonly waitSeconds: (name: string) => number;
  /** Returns one request to a bucket. */
  readonly giveBack: (name: string) => void;
};

type Bucket = { requests: number; atMs: number };

/** @param nowMs monotonic clock */
export function createRateLimit(requestsPerSecond: number, nowMs: () => number): RateLimit {
  const requestsMax = requestsPerSecond * BURST_SECONDS;
  const buckets = new LRUCache<string, Bucket>({ max: BUCKETS_MAX });
  const take = (name: string): Allowance => {
    const now = nowMs();
    let bucket = buckets.get(name);
    if (bucket === undefined) {
      bucket = { requests: requestsMax, atMs: now };
      buckets.set(name, bucket);
    }
    const refilled = bucket.requests + ((now - bucket.atMs) / 1000) * requestsPerSecond;
    const filled = Math.min(requestsMax, refilled);
    const isAllowed = filled >= 1;
    bucket.requests = isAllowed ? filled - 1 : filled;
    bucket.atMs = now;
    const missing = isAllowed ? requestsMax - bucket.requests : 1 - filled;
    return {
      isAllowed,
      remaining: Math.floor(bucket.requests),
      waitSeconds: Math.max(1, Math.ceil(missing / requestsPerSecond)),
    };
  };
  const waitSeconds = (name: string) => {
    const bucket = buckets.get(name);
    if (bucket === undefined) return 0;
    const missing = 1 - bucket.requests - ((nowMs() - bucket.atMs) / 1000) * requestsPerSecond;
    return missing <= 0 ? 0 : Math.max(1, Math.ceil(missing / requestsPerSecond));
  };
  const giveBack = (name: string) => {
    const bucket = buckets.get(name);
    // `take` cuts tokens beyond the size of a bucket off.
    if (bucket !== undefined) bucket.requests += 1;
  };
  return { take, waitSeconds, giveBack };
}
