/**
 * Decides about an entry whose attempt failed. Pure. An `unavailable` failure never gets here: a dependency
 * that is down pauses the worker and costs no attempt.
 * An entry holds the number of its attempt, so ATTEMPTS_MAX is in stream/entries/entry.ts.
 */
import type { Failure } from '../domain/failure.ts';

/** Deliveries after which a transaction has crashed its workers often enough to be given up. */
export const DELIVERIES_MAX = 5;

type RetryDecision =
  | { readonly kind: 'retry'; readonly afterMs: number }
  | { readonly kind: 'dead-letter' };

export type RetryPolicy = {
  /** Attempts a transaction has, the first included. */
  readonly attemptsMax: number;
  /** Wait before the second attempt; doubles each time. */
  readonly baseMs: number;
};

/**
 * Waits are uniform in [0.5, 1] x base x 1, 2, 4: spread, yet never at once.
 * @param attempt which attempt failed, from 1
 * @param random  uniform in [0, 1)
 */
export function decideRetry(
  policy: RetryPolicy,
  attempt: number,
  failure: Failure,
  random: number,
): RetryDecision {
  if (failure.kind !== 'transient' || attempt >= policy.attemptsMax) return { kind: 'dead-letter' };
  return { kind: 'retry', afterMs: policy.baseMs * 2 ** (attempt - 1) * (0.5 + random / 2) };
}
