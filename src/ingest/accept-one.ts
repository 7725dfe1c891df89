/**
 * Accepts one transaction, and waits for its score when the caller prefers to. What a client posts at the same time
 * shares a database transaction, as a commit costs a synchronous write however much it holds.
 */
import pLimit from 'p-limit';
import { Failure } from '../domain/failure.ts';
import type { ScoreJson } from '../domain/score-record.ts';
import type { KeyedTransactionInput } from '../domain/transaction.ts';
import {
  type AcceptDependencies,
  type AcceptResult,
  acceptEach,
  type EachOutcome,
  findEachInvalid,
  type Outcome,
  type RefusedItem,
  toItemError,
} from './accept-transactions.ts';
import { type Coalescer, createCoalescer } from './coalesce.ts';
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

export type AcceptOne = (request: AcceptOneRequest) => Promise<AcceptOneResult>;

/** Shared database transactions of one client at a time: one is written while the other commits. */
const COMMITS_MAX = 2;
/** And of one that failed together, tried one by one: enough that one that waits for a key does not hold up all. */
const ALONE_MAX = 8;
/** A commit takes 3 to 30 ms here. One that waits for another request's key must not hold up the rest. */
const COMMIT_STALL_MS = 250;
/** Below the rows from which a batch is first tried as if all of it were new. */
const COMMIT_ITEMS_MAX = 64;

/** Four posts a commit at 500 a second, where most would else pay for one of their own. */
const COMMIT_PACE_MS = 8;

type Item = {
  readonly input: KeyedTransactionInput;
  /** Called before anything is stored; again when it is tried alone. */
  readonly onId: (transactionId: string) => void;
};
type Result = { readonly outcome: EachOutcome } | { readonly error: unknown };

export function createAcceptOne(dependencies: AcceptOneDependencies): AcceptOne {
  /** Two at most of each API key that has posted. */
  const lanes = new Map<string, Coalescer<Item, Result>>();
  const { replies, findScore } = dependencies;

  async function store(client: string, isWaiting: boolean, item: Item): Promise<EachOutcome> {
    const name = `${isWaiting} ${client}`;
    const replyTo = isWaiting ? replies.instance : null;
    const run = (items: readonly Item[]) => acceptItems(dependencies, { client, replyTo }, items);
    const options = {
      ...{ run, runsMax: COMMITS_MAX, itemsMax: COMMIT_ITEMS_MAX },
      ...{ stallMs: COMMIT_STALL_MS, paceMs: COMMIT_PACE_MS },
    };
    const lane = lanes.get(name) ?? createCoalescer<Item, Result>(options);
    lanes.set(name, lane);
    const result = await lane.submit(item);
    if ('error' in result) throw result.error;
    return result.outcome;
  }

  return async ({ client, input, waitMs }) => {
    const invalid = findEachInvalid(dependencies, [input]);
    if (invalid.length > 0) return { kind: 'invalid', errors: invalid };
    let reply: ExpectedReply | undefined;
    let isWaiting = false;
    const onId = (transactionId: string) => {
      reply?.cancel();
      if (waitMs > 0) reply = replies.expect(transactionId);
    };
    try {
      const outcome = await store(client, waitMs > 0, { input, onId });
      if (!('status' in outcome)) return refused(outcome);
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
  };
}

function refused(item: RefusedItem): AcceptOneResult {
  const errors = [toItemError(0, item)];
  if (item.problem === 'conflict') return { kind: 'conflict', errors };
  return { kind: item.problem, detail: `The transaction ${item.detail}.`, errors };
}

type Common = { readonly client: string; readonly replyTo: string | null };

/** Together; each alone where what one of them meets is no fault of the others. */
async function acceptItems(
  dependencies: AcceptDependencies,
  common: Common,
  items: readonly Item[],
): Promise<Result[]> {
  try {
    const inputs = items.map(({ input }) => input);
    const onIds = (ids: readonly string[]) => {
      for (const [index, { onId }] of items.entries()) onId(ids[index] ?? '');
    };
    // Each is a request of its own.
    const newMonths = { left: items.length * dependencies.newMonthsMax };
    const outcomes = await acceptEach(dependencies, { ...common, inputs, onIds, newMonths });
    return outcomes.map((outcome) => ({ outcome }));
  } catch (error) {
    const isShared = error instanceof Failure && error.kind === 'unavailable';
    if (isShared || items.length === 1) throw error;
    const alone = pLimit(ALONE_MAX);
    const tried = items.map((item) =>
      alone(() => acceptItems(dependencies, common, [item])).catch((error: unknown) => [{ error }]),
    );
    return (await Promise.all(tried)).flat();
  }
}
