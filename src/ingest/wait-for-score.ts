/**
 * `Prefer: wait`: the score of one transaction once the workers have stored it. The worker's reply
 * ends the wait at once; polling Postgres finds what no reply will come for: duplicates, replies lost
 * with Redis, transactions the reconciler appends.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../domain/failure.ts';
import type { ScoreJson } from '../domain/score-record.ts';

/** A reply that may come: the score, published by the worker that stored it. */
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
  /** Undefined when no reply will come. */
  readonly reply: ExpectedReply | undefined;
  readonly waitMs: number;
};

/** The score, or null when the time is over. A failing poll only costs its turn. */
export async function waitForScore(options: WaitOptions): Promise<ScoreJson | null> {
  const { reply, waitMs } = options;
  const ended = new AbortController();
  const over = delay(waitMs, null, { signal: ended.signal }).catch(() => null);
  // A reply that breaks off leaves the polling in charge.
  const replied = reply?.score.catch(() => over) ?? over;
  try {
    return await Promise.race([replied, poll(options, ended.signal), over]);
  } finally {
    ended.abort();
    reply?.cancel();
  }
}

async function poll(
  { transactionId, findScore, reply }: WaitOptions,
  signal: AbortSignal,
): Promise<ScoreJson | null> {
  // With a reply on its way the first look can wait: it would only find nothing.
  let waitMs = reply === undefined ? 0 : POLL_MS_MAX;
  while (!signal.aborted) {
    try {
      await delay(waitMs, undefined, { signal });
      const score = await findScore(transactionId);
      if (score !== undefined) return score;
    } catch (error) {
      if (signal.aborted) return null;
      if (!(error instanceof Failure)) throw error;
    }
    waitMs = Math.min(Math.max(waitMs * 2, POLL_MS_MIN), POLL_MS_MAX);
  }
  return null;
}
