/** What a batch is made of while a worker holds it. */
import type { Failure } from '../domain/failure.ts';
import type { NewScore } from '../store/scores.ts';
import type { EntryPayload } from '../stream/entry.ts';
import type { StreamKeys } from '../stream/keys.ts';
import type { StreamEntry } from '../stream/read-group.ts';
import type { PublishedScore } from '../stream/settle.ts';

/** An entry in the hands of one of our consumers. */
export type HeldEntry = {
  readonly stream: StreamKeys;
  readonly consumer: string;
  readonly entry: StreamEntry;
};

/** A transaction of a held entry. */
export type Item = HeldEntry & { readonly payload: EntryPayload };

/** An item and the score that this batch computed for it. */
export type Scored = { readonly item: Item; readonly score: NewScore };

/** What becomes of a transaction: decided by the core, carried out by settle. */
export type Outcome =
  | { readonly kind: 'acknowledge'; readonly published: Published | null; readonly reply?: string }
  | { readonly kind: 'retry'; readonly afterMs: number; readonly failure: Failure }
  | { readonly kind: 'dead-letter'; readonly failure: Failure };

export type Published = PublishedScore & { readonly scoredAtMs: number };

export type Decided = HeldEntry & {
  /** Null when the entry could not be read: then this is all of it. */
  readonly payload: EntryPayload | null;
  readonly outcome: Outcome;
};

/** Field by field: a spread a transaction costs more than the decision. */
export function decide(one: Item | Decided, outcome: Outcome): Decided {
  const { stream, consumer, entry, payload } = one;
  return { stream, consumer, entry, payload, outcome };
}
