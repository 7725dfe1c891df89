/**
 * Accepts one transaction, and waits for its score when the caller prefers to. What a client posts at the same time
 * shares a commit.
 */
import { SPANS } from '../../kit/traces/names.ts';
import type { Trace } from '../../kit/traces/trace.ts';
import { Failure } from '../../kit/words/failure.ts';
import type { ScoreJson } from '../domain/score-record.ts';
import type { KeyedTransactionInput } from '../domain/transaction.ts';
import type { ExpectedReply, Replies } from '../stream/settle/replies.ts';
import type { AcceptResult } from './accept-batch.ts';
import type { Outcome } from './accept-transactions.ts';
import {
  acceptEach,
  type EachOutcome,
  findEachInvalid,
  type RefusedInput,
  toInputError,
} from './accept-transactions.ts';
import { admit, keptEach, tokenised } from './admit.ts';
import { type Closed, closedRequest, storedAndClosed } from './gate.ts';
import type { Ingest } from './ingest.ts';
import type { Submitter } from './limits/limiter.ts';
import { createSharedCommits } from './shared-commits.ts';

type AcceptOneResult =
  | { readonly kind: 'accepted'; readonly outcome: Outcome; readonly score: ScoreJson | null }
  | Exclude<AcceptResult, { kind: 'accepted' }>;

type AcceptOne = (request: {
  readonly by: Submitter;
  readonly input: KeyedTransactionInput;
  /** 0 does not wait. */
  readonly waitMs: number;
  readonly trace: Trace | undefined;
}) => Promise<AcceptOneResult>;

/** A commit is written while the commit before it ends. */
const COMMITS_MAX = 2;
/** Fewer than the rows from which a batch is first tried as if all of it were new. */
const COMMIT_ROWS_MAX = 64;

type Post = {
  readonly input: KeyedTransactionInput;
  readonly trace: Trace | undefined;
  /** Called before anything is stored, and again when the transaction is tried alone. */
  readonly onId: (transactionId: string) => void;
};

/** The stored score; undefined while there is none. */
export type FindScore = (transactionId: string) => Promise<ScoreJson | undefined>;

const POLL_MS_MIN = 25;
const POLL_MS_MAX = 200;

type WaitOptions = {
  readonly transactionId: string;
  readonly findScore: FindScore;
  /** Undefined when no reply will arrive. */
  readonly reply: ExpectedReply | undefined;
  readonly waitMs: number;
  /** Whether the score will not come for now; asked before each poll. */
  readonly isInVain: () => boolean;
};

export function createAcceptOne(ingest: Ingest, replies: Replies, findScore: FindScore): AcceptOne {
  const store = createSharedCommits<Post, EachOutcome>({
    store: (poster, posts) => {
      const inputs = posts.map(({ input }) => input);
      const traceOf = (index: number) => posts[index]?.trace;
      const onIds = (ids: readonly string[]) => {
        for (const [index, { onId }] of posts.entries()) onId(ids[index] ?? '');
      };
      // Each post is a request of its own, and may make new months.
      const newMonths = { left: posts.length * ingest.newMonthsMax };
      return acceptEach(ingest, { ...poster, inputs, traceOf, onIds, newMonths });
    },
    commitsMax: COMMITS_MAX,
    rowsMax: COMMIT_ROWS_MAX,
    rowsOf: () => 1,
    apartOf: ({ input }) => ingest.writes.apartOf(new Set([input.corridor])),
  });

  return async ({ by, input: clear, waitMs, trace }) => {
    const { client } = by;
    const invalid = findEachInvalid(ingest, [clear]);
    if (invalid.length > 0) return { kind: 'invalid', errors: invalid };
    const drafted = await tokenised(ingest, [clear]);
    const closed = await admit(ingest, { by, inputs: drafted.inputs, isEach: false });
    if (closed.size > 0) return closedRequest(closed);
    const [input = clear] = await keptEach(ingest, { client, tokenised: drafted }, [0]);
    let reply: ExpectedReply | undefined;
    let isWaiting = false;
    const onId = (transactionId: string) => {
      reply?.cancel();
      if (waitMs > 0) reply = replies.expect(transactionId);
    };
    try {
      const replyTo = waitMs > 0 ? replies.instance : null;
      const outcome = await store({ client, replyTo }, { input, onId, trace });
      if (!('status' in outcome)) return refused(outcome);
      const { transactionId, status } = outcome;
      if (waitMs === 0) {
        const score = status === 'duplicate' ? await findScore(transactionId) : undefined;
        return { kind: 'accepted', outcome, score: score ?? null };
      }
      isWaiting = status === 'accepted';
      const closedNow = () => ingest.gate.closedTo(client, input.corridor);
      const waited = { transactionId, findScore, reply: isWaiting ? reply : undefined, waitMs };
      const waits = trace?.begin({ name: SPANS.wait });
      return await answerWaiting(outcome, waited, closedNow).finally(() => waits?.end());
    } finally {
      if (!isWaiting) reply?.cancel();
    }
  };
}

async function answerWaiting(
  outcome: Outcome,
  waited: Omit<WaitOptions, 'isInVain'>,
  closedNow: () => Closed | undefined,
): Promise<AcceptOneResult> {
  const score = await waitForScore({ ...waited, isInVain: () => closedNow() !== undefined });
  const closed = score === null ? closedNow() : undefined;
  if (closed !== undefined) return storedAndClosed(outcome.transactionId, closed);
  return { kind: 'accepted', outcome, score };
}

function refused(input: RefusedInput): AcceptOneResult {
  const errors = [toInputError(0, input)];
  if (input.problem === 'conflict') return { kind: 'conflict', errors };
  return { kind: input.problem, detail: `The transaction ${input.detail}.`, errors };
}

/**
 * `Prefer: wait`: the score of one transaction once the workers have stored it. The worker's reply ends the
 * wait at once; polling Postgres covers scores without a reply: duplicates, replies lost with Redis,
 * transactions that the reconciler appends.
 * The score, or null when the time is over or the wait is in vain. A poll that finds Postgres unavailable is skipped.
 */
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
