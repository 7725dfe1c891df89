/** Acknowledges scored transactions: one outcome for all of an entry, with the rows of its event. */
import { type Decision, toScoreJson } from '../domain/score-record.ts';
import type { Transaction } from '../domain/transaction.ts';
import type { StoredScore } from '../store/scores/stored-scores.ts';
import type { Decided, EntryTransaction } from './decided.ts';

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

export function acknowledge<One extends Score>(
  scores: readonly One[],
  { scoredAtMsOf, recordOf, isElsewhere }: Source<One>,
): Decided[] {
  return [...Map.groupBy(scores, ({ from }) => from.entry)].map(([entry, group]) => {
    const rows: string[] = [];
    const replies: { instance: string; score: string }[] = [];
    for (const one of group) {
      const { head, transaction } = one.from;
      if (!isElsewhere(one.from)) rows.push(toRow(transaction, one.decision));
      if (head.replyTo === null) continue;
      const score = JSON.stringify(toScoreJson(recordOf(one)));
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
