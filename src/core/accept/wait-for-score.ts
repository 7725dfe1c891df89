/**
 * `Prefer: wait`: the score of one transaction once the workers have stored it. The worker's reply ends the
 * wait at once; polling Postgres covers scores without a reply: duplicates, replies lost with Redis,
 * transactions that the reconciler appends.
 */
import { Failure } from '../../kit/words/failure.ts';
import type { ScoreJson } from '../domain/score-record.ts';

/** A reply that may arrive: the score, published by the worker that stored it. */
export type ExpectedReply = { readonly score: Promise<ScoreJson>; readonly cancel: () => void };

export type Replies = {
  /** Travels with the entry, so that the worker knows where to publish. */
  readonly instance: string;
  readonly expect: (transactionId: string) => ExpectedReply;
};

/** The stored score; undefined while there is none. */
export type FindScore = (transactionId: string) => Promise<ScoreJson | undefined>;

const POLL_MS_MIN = 25;
const POLL_MS_MAX = 200;

export type WaitOptions = {
  readonly transactionId: string;
  readonly findScore: FindScore;
  /** Undefined when no reply will arrive. */
  readonly reply: ExpectedReply | undefined;
  readonly waitMs: number;
  /** Whether the score will not come for now; asked before each poll. */
  readonly isInVain: () => boolean;
};

/** The score, or null when the time is over or the wait is in vain. A poll that finds Postgres unavailable is skipped. */
export async function waitForScore(options: WaitOptions): Promise<ScoreJson | null> {
  const { transactionId, findScore, reply, waitMs, isInVain } = options;
  const found = Promise.withResolvers<ScoreJson | null>();
  const over = setTimeout(found.resolve, waitMs, null);
  let next: NodeJS.Timeout | undefined;
  let isOver = false;
  const pollAfter = (ms: number) => {
    next = setTimeout(() => void poll(ms).catch(found.reject), ms);
  };
  const poll = async (waitedMs: number) => {
    const score = await findScore(transactionId).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      return undefined;
    });
    if (score !== undefined) found.resolve(score);
    else if (isInVain()) found.resolve(null);
    else if (!isOver) pollAfter(Math.min(Math.max(waitedMs * 2, POLL_MS_MIN), POLL_MS_MAX));
  };
  void reply?.score.then(found.resolve);
  // While a reply is expected, the first poll is delayed: it would find nothing.
  pollAfter(reply === undefined ? 0 : POLL_MS_MAX);
  try {
    return await found.promise;
  } finally {
    isOver = true;
    clearTimeout(over);
    clearTimeout(next);
    reply?.cancel();
  }
}
