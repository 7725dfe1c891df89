/** Transactions of delivered entries, what was decided about them, and what follows from a failed attempt. */

import type { Config } from '../../kit/config/config.ts';
import { Failure } from '../../kit/words/failure.ts';
import { type Decision, toScoreJson } from '../domain/score-record.ts';
import type { DeliveredTransaction, Transaction } from '../domain/transaction.ts';
import type { NewScore } from '../store/scores/score-values.ts';
import type { StoredScore } from '../store/scores/stored-scores.ts';
import { type EntryPayload, type EntryReader, identify } from '../stream/entries/entry.ts';
import { ATTEMPTS_MAX, type EntryHead } from '../stream/entries/entry-head.ts';
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

/** Outcome of a transaction: decided by the core, carried out by `settle`. */
export type Outcome =
  | { readonly kind: 'acknowledge'; readonly published: Published | null }
  | { readonly kind: 'retry'; readonly afterMs: number; readonly failure: Failure }
  | {
      readonly kind: 'dead-letter';
      readonly failure: Failure;
      /** The readable part of an entry that could not be decoded. */
      readonly transactionId?: string;
    };

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

/** The part of a decision that an event has. */
type EventDecision = Pick<Decision, 'score' | 'risk' | 'verdict' | 'reasons'>;
type Score = { readonly from: EntryTransaction; readonly decision: EventDecision };

/** Where scores come from. */
export type Source<One> = {
  readonly scoredAtMsOf: (score: One) => number;
  /** The score as it is stored; asked for where a request waits. */
  readonly recordOf: (score: One) => StoredScore;
  /** True where another entry publishes the score. */
  readonly isElsewhere: (from: EntryTransaction) => boolean;
};

export function decide(from: EntryTransaction, outcome: Outcome): Decided {
  return { entry: from.entry, from, outcome };
}

export function payloadOf({ head, transaction }: EntryTransaction): EntryPayload {
  return { ...head, transaction, sender: transaction.sender };
}

/** Deliveries after which a transaction has crashed its workers often enough to be given up. */
export const DELIVERIES_MAX = 5;

export function failTransaction(
  { config, random }: { readonly config: Pick<Config, 'RISK_RETRY_BASE_MS'>; random: () => number },
  entryTransaction: EntryTransaction,
  failure: Failure,
): Decided {
  return decide(
    entryTransaction,
    decideRetry(config.RISK_RETRY_BASE_MS, entryTransaction.head.attempt, failure, random()),
  );
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

/** Acknowledges scored transactions: one outcome for all of an entry, with the rows of its event. */
export function acknowledge<One extends Score>(
  scores: readonly One[],
  { scoredAtMsOf, recordOf, isElsewhere }: Source<One>,
): Decided[] {
  return [...Map.groupBy(scores, ({ from }) => from.entry)].map(([entry, group]) => {
    const rows: string[] = [];
    const replies: { instance: string; score: string }[] = [];
    for (const found of group) {
      const { head, transaction } = found.from;
      if (!isElsewhere(found.from)) rows.push(toRow(transaction, found.decision));
      if (head.replyTo === null) continue;
      const score = JSON.stringify(toScoreJson(recordOf(found)));
      replies.push({ instance: head.replyTo, score });
    }
    const scoredAtMs = Math.max(...group.map(scoredAtMsOf));
    const isPartly = rows.length < group.length;
    const published = { count: rows.length, rows: rows.join(), isPartly, scoredAtMs, replies };
    return { entry, from: null, outcome: { kind: 'acknowledge', published } };
  });
}

/** The same for scores that were read back. */
export function acknowledgeStored(
  scores: readonly { readonly from: EntryTransaction; readonly decision: StoredScore }[],
  isElsewhere: (from: EntryTransaction) => boolean = () => false,
): Decided[] {
  return acknowledge(scores, {
    isElsewhere,
    scoredAtMsOf: ({ decision }) => decision.scoredAtMs,
    recordOf: ({ decision }) => decision,
  });
}

/** A score as an event has it. */
export function toRow(transaction: Transaction, decision: EventDecision): string {
  const { transactionId, accountId, merchantId } = transaction;
  const { score, risk, verdict, reasons } = decision;
  const codes = reasons.map(({ code }) => code);
  return JSON.stringify([transactionId, accountId, merchantId, score, risk, verdict, codes]);
}

/** Decodes delivered entries of the version that the worker reads; an entry that cannot be processed is decided here. Pure. */
export type ReadEntries = {
  readonly transactions: EntryTransaction[];
  readonly decided: Decided[];
};

/** An entry that cannot be read, is gone, or has crashed too many workers is decided at once. */
export function readEntries({ decode }: EntryReader, entries: readonly StreamEntry[]): ReadEntries {
  const read: ReadEntries = { transactions: [], decided: [] };
  for (const entry of entries) {
    if (entry.deleted) {
      const outcome = { kind: 'acknowledge', published: null } as const;
      read.decided.push({ entry, from: null, outcome });
      continue;
    }
    try {
      const { head, transactions } = decode(entry);
      // An entry of several transactions is divided before this, so no transaction is given up for a neighbour.
      const isGivenUp = entry.deliveries > DELIVERIES_MAX && transactions.length === 1;
      for (const transaction of transactions) {
        const delivered = { entry, head, transaction };
        if (isGivenUp) read.decided.push(giveUp(delivered));
        else read.transactions.push(delivered);
      }
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      read.decided.push(...giveUpUnreadable(entry, error));
    }
  }
  return read;
}

/** A dead letter for each transaction that can be told, and one without where there may be others. */
function giveUpUnreadable(entry: StreamEntry, failure: Failure): Decided[] {
  const outcome = { kind: 'dead-letter', failure } as const;
  const { packed, transactions } = entry;
  const ids = new Set(packed === null ? [] : identify(packed));
  const known = [...ids].map((transactionId) => ({
    entry,
    from: null,
    outcome: { ...outcome, transactionId },
  }));
  return ids.size === transactions ? known : [...known, { entry, from: null, outcome }];
}

function giveUp(entryTransaction: EntryTransaction): Decided {
  const detail = `delivered ${entryTransaction.entry.deliveries} times without an end: it may crash the worker`;
  const failure = new Failure('permanent', 'CRASHES_WORKER', detail);
  return decide(entryTransaction, { kind: 'dead-letter', failure });
}

/** The first delivery of each transaction, and the deliveries that repeat it. */
export function splitRepeated(transactions: readonly EntryTransaction[]): {
  readonly firsts: readonly EntryTransaction[];
  readonly repeated: readonly EntryTransaction[];
} {
  const seen = new Set<string>();
  const firsts: EntryTransaction[] = [];
  const repeated: EntryTransaction[] = [];
  for (const transaction of transactions) {
    const { transactionId } = transaction.transaction;
    (seen.has(transactionId) ? repeated : firsts).push(transaction);
    seen.add(transactionId);
  }
  return { firsts, repeated };
}
