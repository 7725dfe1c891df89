/** When a delivery that failed is tried again: the schedule that Standard Webhooks proposes. */

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Waits after each failed attempt; the first attempt is made at once, and there are ten. */
export const RETRY_WAITS_MS = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
] as const;

/** A wait is up to this share longer, so that deliveries that failed together are not sent together again. */
export const JITTER = 0.1;
/** Longest wait that the Retry-After of a receiver may ask for. */
export const RETRY_AFTER_MS_MAX = 24 * HOUR_MS;

/**
 * @param attempts those made, at least 1
 * @param random from 0 to 1
 * @returns the wait before the next attempt; null after the last one
 */
export function retryWaitMs(
  attempts: number,
  random: number,
  retryAfterMs: number | null,
): number | null {
  const wait = RETRY_WAITS_MS[attempts - 1];
  if (wait === undefined) return null;
  return Math.max(wait * (1 + JITTER * random), Math.min(retryAfterMs ?? 0, RETRY_AFTER_MS_MAX));
}
