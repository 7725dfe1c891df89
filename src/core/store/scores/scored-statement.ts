/** The seam `onScored`: what a room writes in the statement that stores scores. */
import type { Verdict } from '../../domain/score-record.ts';

/** A score that is being stored, as rooms see it. */
export type JustScored = {
  readonly transaction: { readonly transactionId: string };
  readonly tallied: { readonly verdict: Verdict };
};

/**
 * Rows that a room writes in the statement that stores scores, so that neither is stored without the other: review and webhooks
 * have such rows, and main/worker.ts hands their statements to the worker. A redelivery stores no score, and so adds nothing.
 */
export type ScoredStatement = {
  readonly name: string;
  /**
   * SQL that inserts. `ids` (uuid[]) and `verdicts` (text[]) are parameters of the stored scores, `value` is the parameter that
   * `toValue` gives.
   */
  readonly insert: (parameters: { ids: string; verdicts: string; value: string }) => string;
  readonly toValue: ((scores: readonly JustScored[]) => unknown) | null;
};
