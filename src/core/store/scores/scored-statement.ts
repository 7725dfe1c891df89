/** The seam `onScored`: what a room writes in the statement that stores scores. */
import type { Verdict } from '../../domain/score-record.ts';
import type { ScoreColumns } from './score-values.ts';

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
   * SQL that inserts. `ids` (uuid[]) and `verdicts` (text[]) are parameters of the stored scores, `scoredAtMs` (float8) is their
   * time, and `value` is the parameter that `toValue` gives.
   */
  readonly insert: (parameters: {
    ids: string;
    verdicts: string;
    scoredAtMs: string;
    value: string;
  }) => string;
  /** @param columns of the same scores; null where only some scores of a batch are stored */
  readonly toValue:
    | ((scores: readonly JustScored[], columns: ScoreColumns | null) => unknown)
    | null;
};
