/** The parts of a batch while a worker holds it. */
import type { Failure } from '../../kit/words/failure.ts';
import type { DeliveredTransaction } from '../domain/delivered.ts';
import type { NewScore } from '../store/scores/scores.ts';
import type { EntryPayload } from '../stream/entries/entry.ts';
import type { EntryHead } from '../stream/entries/entry-head.ts';
import type { StreamEntry } from '../stream/group/read-group.ts';
import type { StreamKeys } from '../stream/keys.ts';
import type { PublishedScores, Settlement } from '../stream/settle/settle.ts';

/** An entry that one of our consumers holds. */
export type HeldEntry = {
  readonly stream: StreamKeys;
  readonly consumer: string;
  readonly entry: StreamEntry;
};

/** A transaction of a held entry. */
export type Item = {
  readonly held: HeldEntry;
  readonly head: EntryHead;
  readonly transaction: DeliveredTransaction;
};

/** An item and the score that this batch computed for it. */
export type Scored = NewScore & { readonly item: Item };

/** Outcome of a transaction: decided by the core, carried out by settle. */
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
  readonly held: HeldEntry;
  /** Null when the entry could not be read, and for all that is acknowledged of one together. */
  readonly item: Item | null;
  readonly outcome: Outcome;
};

export function decide(item: Item, outcome: Outcome): Decided {
  return { held: item.held, item, outcome };
}

/** An item as it is put into another entry. */
export function payloadOf({ head, transaction }: Item): EntryPayload {
  return { ...head, transaction };
}
