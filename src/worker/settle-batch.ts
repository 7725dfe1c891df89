/** Turns decided outcomes into one settlement a stream and consumer, and reads what became of them. */
import { Failure } from '../domain/failure.ts';
import type { EntryPayload } from '../stream/entry.ts';
import type { Settlement } from '../stream/settle.ts';
import type { Decided } from './item.ts';

export type EncodeEntry = (payload: EntryPayload) => string;

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] };

/** @param atMs when the batch was scored and its failures happened */
export function toSettlements(
  decided: readonly Decided[],
  encode: EncodeEntry,
  atMs: number,
): Settlement[] {
  const settlements = new Map<string, Mutable<Settlement>>();
  const at = new Date(atMs).toISOString();
  let settlement: Mutable<Settlement> | undefined;
  for (const one of decided) {
    // Entries of a stream follow each other, so a name is seldom needed.
    if (settlement?.stream !== one.stream || settlement.consumer !== one.consumer) {
      const name = `${one.stream.transactions} ${one.consumer}`;
      settlement = settlements.get(name) ?? emptySettlement(one, at);
      settlements.set(name, settlement);
    }
    add(settlement, one, encode, at);
  }
  return [...settlements.values()];
}

function emptySettlement({ stream, consumer }: Decided, scoredAt: string): Mutable<Settlement> {
  const lists = { acknowledged: [], retries: [], deadLetters: [], released: [], replies: [] };
  return { stream, consumer, scoredAt, ...lists };
}

function add(
  settlement: Mutable<Settlement>,
  { entry, payload, outcome }: Decided,
  encode: EncodeEntry,
  at: string,
): void {
  const entryId = entry.id;
  switch (outcome.kind) {
    case 'acknowledge': {
      settlement.acknowledged.push({ entryId, event: outcome.event });
      const replyTo = payload?.replyTo ?? null;
      if (replyTo !== null && outcome.reply !== undefined) {
        settlement.replies.push({ instance: replyTo, score: outcome.reply });
      }
      return;
    }
    case 'retry': {
      if (payload === null) throw new Error('an entry that cannot be read has no second attempt');
      const next = encode({ ...payload, attempt: payload.attempt + 1, origin: 'retry' });
      settlement.retries.push({ entryId, waitMs: outcome.afterMs, packed: next });
      return;
    }
    case 'release': {
      // What cannot be read stays pending: whoever claims it decides.
      if (payload === null) return;
      const same = encode({ ...payload, origin: 'released' });
      settlement.released.push({ entryId, packed: same });
      return;
    }
    case 'dead-letter':
      settlement.deadLetters.push({
        entryId,
        transactionId: payload?.transaction.transactionId ?? null,
        accountId: payload?.transaction.accountId ?? null,
        attempts: payload?.attempt ?? 1,
        error: `${outcome.failure.code}: ${outcome.failure.message}`.slice(0, 1024),
        failedAt: at,
      });
      return;
  }
}

/** Streams that could not be settled, by name, and why: their entries stay pending. Nearly always none. */
export type Left = ReadonlyMap<string, Failure>;

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
  for (const [index, { stream, acknowledged }] of settlements.entries()) {
    const gone = settled[index];
    if (gone instanceof Failure) left.set(stream.transactions, gone);
    else if (gone !== undefined && gone.size > 0) {
      for (const { entryId, event } of acknowledged) {
        if (event !== null && gone.has(entryId)) late.push(event.transactionId);
      }
    }
  }
  return { left, late };
}
