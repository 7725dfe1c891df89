/** Turns decided transactions into one settlement per stream and consumer, and reads the results. */
import { type PackedEntry, packAgain } from '../stream/entries/entry.ts';
import type { HandOver } from '../stream/group/versions.ts';
import type { EndedEntry, Settlement } from '../stream/settle/settle.ts';
import { type Decided, type HeldEntry, type Item, payloadOf } from './item.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/** @param atMs when failures happened */
export function toSettlements(decided: readonly Decided[], atMs: number): Settlement[] {
  const settlements = new Settlements();
  const entries = new Map<HeldEntry['entry'], Mutable<EndedEntry>>();
  for (const one of decided) {
    const { entry } = one.held;
    const settlement = settlements.of(one.held);
    let ended = entries.get(entry);
    if (ended === undefined) {
      const { id: entryId, transactions } = entry;
      ended = {
        ...{ entryId, transactions, scoredAtMs: 0, scores: [] },
        ...{ needsOwner: false, retries: [], deadLetters: [] },
      };
      entries.set(entry, ended);
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

  of({ stream, consumer }: HeldEntry): Mutable<Settlement> {
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
  { item, outcome }: Decided,
  atMs: number,
): void {
  switch (outcome.kind) {
    case 'acknowledge': {
      const { published } = outcome;
      if (published === null) {
        ended.needsOwner ||= item !== null;
        return;
      }
      if (published.count > 0) ended.scores.push(published);
      ended.needsOwner ||= published.isPartly;
      ended.scoredAtMs = Math.max(ended.scoredAtMs, published.scoredAtMs);
      settlement.replies.push(...published.replies);
      return;
    }
    case 'retry': {
      if (item === null) throw new Error('an entry that cannot be read has no second attempt');
      const attempt = item.head.attempt + 1;
      const next = packAgain([{ ...payloadOf(item), attempt, origin: 'retry' }]);
      ended.retries.push({ waitMs: outcome.afterMs, next });
      return;
    }
    case 'dead-letter':
      ended.deadLetters.push({
        transactionId: item?.transaction.transactionId ?? outcome.transactionId ?? null,
        accountId: item?.transaction.accountId ?? null,
        attempts: item?.head.attempt ?? 1,
        error: `${outcome.failure.code}: ${outcome.failure.message}`.slice(0, 1024),
        failedAt: new Date(atMs).toISOString(),
      });
      return;
  }
}

/** One a stream and consumer. */
export function toHandOvers(unread: readonly HeldEntry[]): HandOver[] {
  const groups = Map.groupBy(unread, (one) => `${one.stream.transactions} ${one.consumer}`);
  return [...groups.values()].map((group) => {
    const { stream, consumer } = group[0] as HeldEntry;
    const entries = group.map(({ entry }) => ({ id: entry.id, version: entry.version ?? '' }));
    return { stream: stream.transactions, consumer, entries };
  });
}

/** The entries that take the place of one. */
export type ReplaceEntry = (items: readonly Item[], entry: HeldEntry['entry']) => PackedEntry[];

export function toReplacements(items: readonly Item[], replace: ReplaceEntry): Settlement[] {
  const settlements = new Settlements();
  for (const [held, group] of Map.groupBy(items, ({ held }) => held)) {
    const { id: entryId, transactions } = held.entry;
    const by = replace(group, held.entry);
    settlements.of(held).replaced.push({ entryId, transactions, by });
  }
  return settlements.all();
}

/** The same entry once more, behind the others. */
export const releaseEntry: ReplaceEntry = (items, { carried }) => {
  const payloads = items.map((item) => ({ ...payloadOf(item), origin: 'released' as const }));
  return [packAgain(payloads, carried)];
};

/** Entries of one, which go on counting deliveries. */
export const divideEntry: ReplaceEntry = (items, { deliveries }) =>
  items.map((item) => packAgain([payloadOf(item)], deliveries));

/** Names of streams that could not be settled: their entries stay pending. Nearly always none. */
export type Left = ReadonlySet<string>;

export const NOTHING_LEFT: Left = new Set();
