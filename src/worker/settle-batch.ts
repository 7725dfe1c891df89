/** Turns decided transactions into one settlement a stream and consumer, and reads what became of them. */
import type { Failure } from '../domain/failure.ts';
import type { EntryPayload, PackedEntry } from '../stream/entry.ts';
import type { EndedEntry, Settlement } from '../stream/settle.ts';
import type { Decided, HeldEntry, Item } from './item.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/** Payloads of one entry as another one, with the deliveries that it counts on from. */
export type EncodeEntry = (payloads: readonly EntryPayload[], deliveries?: number) => PackedEntry;

/** @param atMs when failures happened */
export function toSettlements(
  decided: readonly Decided[],
  encode: EncodeEntry,
  atMs: number,
): Settlement[] {
  const settlements = new Settlements();
  const entries = new Map<HeldEntry['entry'], Mutable<EndedEntry>>();
  const failedAt = new Date(atMs).toISOString();
  const toIso = createIso();
  for (const one of decided) {
    const settlement = settlements.of(one);
    let ended = entries.get(one.entry);
    if (ended === undefined) {
      const { id, transactions } = one.entry;
      ended = { entryId: id, transactions, scoredAt: '', scores: [], retries: [], deadLetters: [] };
      entries.set(one.entry, ended);
      settlement.ended.push(ended);
    }
    add(ended, settlement, one, { encode, failedAt, toIso });
  }
  return settlements.all();
}

/** One a stream and consumer. */
class Settlements {
  readonly #byName = new Map<string, Mutable<Settlement>>();
  #last: Mutable<Settlement> | undefined;

  of({ stream, consumer }: HeldEntry): Mutable<Settlement> {
    // Entries of a stream follow each other, so a name is seldom needed.
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

/** Nearly all scores of a batch have the same time. */
function createIso(): (epochMs: number) => string {
  let [lastMs, last] = [Number.NaN, ''];
  return (epochMs) => {
    if (epochMs !== lastMs) [lastMs, last] = [epochMs, new Date(epochMs).toISOString()];
    return last;
  };
}

type Adding = {
  readonly encode: EncodeEntry;
  readonly failedAt: string;
  readonly toIso: (epochMs: number) => string;
};

function add(
  ended: Mutable<EndedEntry>,
  settlement: Mutable<Settlement>,
  { payload, outcome }: Decided,
  { encode, failedAt, toIso }: Adding,
): void {
  switch (outcome.kind) {
    case 'acknowledge': {
      const { published, reply } = outcome;
      if (published !== null) {
        ended.scores.push(published);
        const scoredAt = toIso(published.scoredAtMs);
        if (scoredAt > ended.scoredAt) ended.scoredAt = scoredAt;
      }
      const replyTo = payload?.replyTo ?? null;
      if (replyTo !== null && reply !== undefined) {
        settlement.replies.push({ instance: replyTo, score: reply });
      }
      return;
    }
    case 'retry': {
      if (payload === null) throw new Error('an entry that cannot be read has no second attempt');
      const next = encode([{ ...payload, attempt: payload.attempt + 1, origin: 'retry' }]);
      ended.retries.push({ waitMs: outcome.afterMs, next });
      return;
    }
    case 'dead-letter':
      ended.deadLetters.push({
        transactionId: payload?.transaction.transactionId ?? null,
        accountId: payload?.transaction.accountId ?? null,
        attempts: payload?.attempt ?? 1,
        error: `${outcome.failure.code}: ${outcome.failure.message}`.slice(0, 1024),
        failedAt,
      });
      return;
  }
}

/** The entries that take the place of one. */
export type ReplaceEntry = (
  items: readonly Item[],
  entry: Item['entry'],
  encode: EncodeEntry,
) => PackedEntry[];

export function toReplacements(
  items: readonly Item[],
  replace: ReplaceEntry,
  encode: EncodeEntry,
): Settlement[] {
  const settlements = new Settlements();
  for (const [entry, group] of Map.groupBy(items, (item) => item.entry)) {
    const [first] = group;
    if (first === undefined) continue;
    const { id: entryId, transactions } = entry;
    const by = replace(group, entry, encode);
    settlements.of(first).replaced.push({ entryId, transactions, by });
  }
  return settlements.all();
}

/** The same entry once more, behind the others. */
export const releaseEntry: ReplaceEntry = (items, { carried }, encode) => {
  const payloads = items.map(({ payload }) => ({ ...payload, origin: 'released' as const }));
  return [encode(payloads, carried)];
};

/** Entries of one, which go on counting deliveries. */
export const divideEntry: ReplaceEntry = (items, { deliveries }, encode) =>
  items.map(({ payload }) => encode([payload], deliveries));

/** Streams that could not be settled, by name, and why: their entries stay pending. Nearly always none. */
export type Left = ReadonlyMap<string, Failure>;

export const NOTHING_LEFT: Left = new Map();

/**
 * @param settled what `Settle` gave for them, in their order
 * @returns `late`: scored transactions whose entries another consumer has settled meanwhile; it may have
 *   given up what is scored now
 */
export function readSettled(
  settlements: readonly Settlement[],
  settled: readonly (ReadonlySet<string> | Failure)[],
): { left: Left; late: string[] } {
  const left = new Map<string, Failure>();
  const late: string[] = [];
  for (const [index, { stream, ended }] of settlements.entries()) {
    const gone = settled[index];
    if (gone === undefined) continue;
    if (!(gone instanceof Set)) left.set(stream.transactions, gone as Failure);
    else if (gone.size > 0) {
      for (const { entryId, scores } of ended) {
        if (gone.has(entryId)) late.push(...scores.map((one) => one.transactionId));
      }
    }
  }
  return { left, late };
}
