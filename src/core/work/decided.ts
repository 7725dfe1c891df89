/** Transactions of delivered entries, and what was decided about them. */
import type { Failure } from '../../kit/words/failure.ts';
import type { DeliveredTransaction } from '../domain/delivered.ts';
import type { NewScore } from '../store/scores/scores.ts';
import type { EntryPayload } from '../stream/entries/entry.ts';
import type { EntryHead } from '../stream/entries/entry-head.ts';
import type { StreamEntry } from '../stream/group/read-group.ts';
import type { PublishedScores, Settlement } from '../stream/settle/settle.ts';

/** A transaction of an entry that one of our consumers owns. */
export type EntryTransaction = {
  readonly entry: StreamEntry;
  readonly head: EntryHead;
  readonly transaction: DeliveredTransaction;
};

/** A transaction, and the score that this batch computed for it. */
export type Scored = NewScore & { readonly from: EntryTransaction };

/** What becomes of a transaction: decided by the core, carried out by `settle`. */
export type Outcome =
  | { readonly kind: 'acknowledge'; readonly published: Published | null }
  | { readonly kind: 'retry'; readonly afterMs: number; readonly failure: Failure }
  | {
      readonly kind: 'dead-letter';
      readonly failure: Failure;
      /** The readable part of an entry that could not be decoded. */
      readonly transactionId?: string;
    };

/** Scores of one entry. */
export type Published = PublishedScores & {
  /** True where another entry publishes the others. */
  readonly isPartly: boolean;
  readonly scoredAtMs: number;
  readonly replies: Settlement['replies'];
};

export type Decided = {
  readonly entry: StreamEntry;
  /** Null for an entry that could not be read, and for scores that one entry acknowledges together. */
  readonly from: EntryTransaction | null;
  readonly outcome: Outcome;
};

export function decide(from: EntryTransaction, outcome: Outcome): Decided {
  return { entry: from.entry, from, outcome };
}

/** A transaction as it is put into another entry. */
export function payloadOf({ head, transaction }: EntryTransaction): EntryPayload {
  return { ...head, transaction };
}
