/** Turns decided transactions into one settlement per stream and consumer. Pure. */
import { type PackedEntry, packAgain } from '../stream/entries/entry.ts';
import type { StreamEntry } from '../stream/group/read-group.ts';
import type { EndedEntry, Settlement } from '../stream/settle/settle.ts';
import { type Decided, type EntryTransaction, payloadOf } from './decided.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/** @param atMs when failures happened */
export function toSettlements(decided: readonly Decided[], atMs: number): Settlement[] {
  const settlements = new Settlements();
  const entries = new Map<StreamEntry, Mutable<EndedEntry>>();
  for (const one of decided) {
    const settlement = settlements.of(one.entry);
    let ended = entries.get(one.entry);
    if (ended === undefined) {
      const { id: entryId, transactions } = one.entry;
      ended = {
        ...{ entryId, transactions, scoredAtMs: 0, scores: [] },
        ...{ needsOwner: false, retries: [], deadLetters: [] },
      };
      entries.set(one.entry, ended);
      settlement.ended.push(ended);
    }
    add(ended, settlement, one, atMs);
  }
  return settlements.all();
}

/** One a stream and consumer. */
class Settlements {
  readonly #byName = new Map<string, Mutable<Settlement>>();
  #last: Mutable<Settlement> | undefined;

  of({ stream, consumer }: StreamEntry): Mutable<Settlement> {
    // Entries of a stream follow each other, so a lookup by name is seldom needed.
    if (this.#last?.stream === stream && this.#last.consumer === consumer) return this.#last;
    const name = `${stream.transactions} ${consumer}`;
    const found = this.#byName.get(name) ?? {
      ...{ stream, consumer, ended: [], replaced: [], replies: [] },
    };
    this.#byName.set(name, found);
    this.#last = found;
    return found;
  }

  all(): Settlement[] {
    return [...this.#byName.values()];
  }
}

function add(
  ended: Mutable<EndedEntry>,
  settlement: Mutable<Settlement>,
  { from, outcome }: Decided,
  atMs: number,
): void {
  switch (outcome.kind) {
    case 'acknowledge': {
      const { published } = outcome;
      if (published === null) {
        ended.needsOwner ||= from !== null;
        return;
      }
      if (published.count > 0) ended.scores.push(published);
      ended.needsOwner ||= published.isPartly;
      ended.scoredAtMs = Math.max(ended.scoredAtMs, published.scoredAtMs);
      settlement.replies.push(...published.replies);
      return;
    }
    case 'retry': {
      if (from === null) throw new Error('an entry that cannot be read has no second attempt');
      const attempt = from.head.attempt + 1;
      const next = packAgain([{ ...payloadOf(from), attempt, origin: 'retry' }]);
      ended.retries.push({ waitMs: outcome.afterMs, next });
      return;
    }
    case 'dead-letter':
      ended.deadLetters.push({
        transactionId: from?.transaction.transactionId ?? outcome.transactionId ?? null,
        accountId: from?.transaction.accountId ?? null,
        attempts: from?.head.attempt ?? 1,
        error: `${outcome.failure.code}: ${outcome.failure.message}`.slice(0, 1024),
        failedAt: new Date(atMs).toISOString(),
      });
      return;
  }
}

/** The entries that replace one. */
export type ReplaceEntry = (
  transactions: readonly EntryTransaction[],
  entry: StreamEntry,
) => PackedEntry[];

export function toReplacements(
  transactions: readonly EntryTransaction[],
  replace: ReplaceEntry,
): Settlement[] {
  const settlements = new Settlements();
  for (const [entry, group] of Map.groupBy(transactions, (one) => one.entry)) {
    const by = replace(group, entry);
    const { id: entryId, transactions: count } = entry;
    settlements.of(entry).replaced.push({ entryId, transactions: count, by });
  }
  return settlements.all();
}

/** The same entry once more, behind the others. */
export const releaseEntry: ReplaceEntry = (transactions, { carried }) => {
  const payloads = transactions.map((one) => ({
    ...{ ...payloadOf(one), origin: 'released' as const },
  }));
  return [packAgain(payloads, carried)];
};

/** Entries of one, which go on counting deliveries. */
export const divideEntry: ReplaceEntry = (transactions, { deliveries }) =>
  transactions.map((one) => packAgain([payloadOf(one)], deliveries));
