/** Transactions of delivered entries, what was decided about them, and what follows from a failed attempt. */
import type { Config } from '../../kit/config/config.ts';
import type { Failure } from '../../kit/words/failure.ts';
import type { DeliveredTransaction } from '../domain/delivered.ts';
import { type Decision, toScoreJson } from '../domain/score-record.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { NewScore } from '../store/scores/score-values.ts';
import type { StoredScore } from '../store/scores/stored-scores.ts';
import type { EntryPayload } from '../stream/entries/entry.ts';
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
