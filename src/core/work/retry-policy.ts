/**
 * Decides about a transaction whose attempt failed. An `unavailable` failure never gets here: a dependency that is down
 * pauses the worker and costs no attempt.
 */
import type { Config } from '../../kit/config/config.ts';
import type { Failure } from '../../kit/words/failure.ts';
import { ATTEMPTS_MAX } from '../stream/entries/entry-head.ts';
import { type Decided, decide, type EntryTransaction, type Outcome } from './decided.ts';

/** Deliveries after which a transaction has crashed its workers often enough to be given up. */
export const DELIVERIES_MAX = 5;

export function failTransaction(
  { config, random }: { readonly config: Pick<Config, 'RISK_RETRY_BASE_MS'>; random: () => number },
  one: EntryTransaction,
  failure: Failure,
): Decided {
  return decide(one, decideRetry(config.RISK_RETRY_BASE_MS, one.head.attempt, failure, random()));
}

/**
 * Waits are uniform in [0.5, 1] x base x 1, 2, 4: spread, yet never at once.
 * @param baseMs  wait before the second attempt
 * @param attempt which attempt failed, from 1
 * @param random  uniform in [0, 1)
 */
export function decideRetry(
  baseMs: number,
  attempt: number,
  failure: Failure,
  random: number,
): Outcome {
  if (failure.kind !== 'transient' || attempt >= ATTEMPTS_MAX) {
    return { kind: 'dead-letter', failure };
  }
  return { kind: 'retry', afterMs: baseMs * 2 ** (attempt - 1) * (0.5 + random / 2), failure };
}
