/** Accepts one transaction, and waits for its score when the caller prefers to. */
import type { ScoreJson } from '../domain/score-record.ts';
import type { KeyedTransactionInput } from '../domain/transaction.ts';
import {
  type AcceptDependencies,
  type AcceptResult,
  acceptTransactions,
  type Outcome,
} from './accept-transactions.ts';
import {
  type ExpectedReply,
  type FindScore,
  type Replies,
  waitForScore,
} from './wait-for-score.ts';

export type AcceptOneDependencies = AcceptDependencies & {
  readonly replies: Replies;
  readonly findScore: FindScore;
};

export type AcceptOneRequest = {
  readonly client: string;
  readonly input: KeyedTransactionInput;
  /** 0 does not wait. */
  readonly waitMs: number;
};

export type AcceptOneResult =
  | { readonly kind: 'accepted'; readonly outcome: Outcome; readonly score: ScoreJson | null }
  | Exclude<AcceptResult, { kind: 'accepted' }>;

export async function acceptOne(
  dependencies: AcceptOneDependencies,
  { client, input, waitMs }: AcceptOneRequest,
): Promise<AcceptOneResult> {
  const { replies, findScore } = dependencies;
  let reply: ExpectedReply | undefined;
  let isWaiting = false;
  try {
    const result = await acceptTransactions(dependencies, {
      client,
      inputs: [input],
      replyTo: waitMs > 0 ? replies.instance : null,
      onIds: ([transactionId]) => {
        if (waitMs > 0 && transactionId !== undefined) reply = replies.expect(transactionId);
      },
    });
    const outcome = result.kind === 'accepted' ? result.outcomes[0] : undefined;
    if (result.kind !== 'accepted') return result;
    if (outcome === undefined) throw new Error('one input gave no outcome');
    const { transactionId, status } = outcome;
    if (waitMs === 0) {
      const score = status === 'duplicate' ? await findScore(transactionId) : undefined;
      return { kind: 'accepted', outcome, score: score ?? null };
    }
    isWaiting = status === 'accepted';
    const waited = { transactionId, findScore, reply: isWaiting ? reply : undefined, waitMs };
    return { kind: 'accepted', outcome, score: await waitForScore(waited) };
  } finally {
    if (!isWaiting) reply?.cancel();
  }
}
