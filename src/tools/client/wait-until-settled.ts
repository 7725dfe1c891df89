/**
 * Waits after the posting until every accepted transaction is final, that is scored or a dead letter, or until
 * nothing has changed for `quietMsMax`. The outcomes at that time are the ledger's other half.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type ApiClient, refusal } from '../../kit/client/api-client.ts';
import type { Status } from '../../kit/client/api-types.ts';
import { Failure, isUnavailable } from '../../kit/words/failure.ts';

/** Totals of the whole engine, from GET /v1/status. */
export type EngineTotals = {
  readonly scored: number;
  readonly deadLettered: number;
  readonly pending: number;
};

/** Outcomes of the accepted transactions. */
export type Settled = {
  readonly scored: number;
  readonly deadLettered: number;
  /** Score rows beyond one a transaction. */
  readonly doubled: number;
  /** Repeated duplicates that this replay stored first. */
  readonly repeatedAccepted: number;
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
};

/**
 * Counts the outcomes of the accepted ids; it may be costly, so not every poll calls it.
 * @throws Failure `unavailable` when the database does not answer now
 */
export type CountSettled = (totals: EngineTotals | null) => Promise<Settled>;

export type SettleResult = Settled & {
  readonly accepted: number;
  /** Accepted transactions that still waited when the wait ended. */
  readonly pending: number;
};

/** Monotonic; another one in tests. */
type Clock = {
  readonly nowMs: () => number;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
};
const CLOCK: Clock = {
  nowMs: () => performance.now(),
  wait: (ms, signal) => delay(ms, undefined, { signal }),
};

const POLL_MS = 200;
/** Counting takes at most this fraction of the time while pending work may be others'. */
const COUNT_SHARE = 30;
const FIRST_COUNT_AFTER_MS = 5_000;

/** @param readTotals throws Failure `unavailable` when the API does not answer with them now */
export async function waitUntilSettled(
  readTotals: () => Promise<EngineTotals>,
  countSettled: CountSettled,
  options: {
    readonly accepted: number;
    readonly quietMsMax: number;
    readonly signal: AbortSignal;
    readonly onProgress: (final: number) => void;
    /** Called once for each reason of an outage. */
    readonly onWaiting: (reason: string) => void;
    readonly clock?: Clock;
  },
): Promise<SettleResult> {
  const { nowMs, wait } = options.clock ?? CLOCK;
  let movedMs = nowMs();
  let countDueMs = movedMs + FIRST_COUNT_AFTER_MS;
  let seen = '';
  const totalsOrNote = createWaitNotes(options.onWaiting);
  const countOrNote = createWaitNotes(options.onWaiting);
  for (;;) {
    const totals = await totalsOrNote(readTotals());
    const startMs = nowMs();
    const moving = JSON.stringify(totals);
    if (moving !== seen) movedMs = startMs;
    seen = moving;
    if (totals !== null) options.onProgress(Math.max(0, options.accepted - totals.pending));
    const isQuiet = startMs - movedMs > options.quietMsMax;
    if (totals?.pending === 0 || startMs >= countDueMs || isQuiet) {
      const count = countSettled(totals);
      const settled = await (isQuiet ? count : countOrNote(count));
      const endMs = nowMs();
      countDueMs = endMs + COUNT_SHARE * (endMs - startMs);
      const result = settled && toResult(settled, options.accepted, totals);
      if (result && (result.open === 0 || isQuiet)) return result.settled;
    }
    await wait(POLL_MS, options.signal);
  }
}

/** @returns `open`: accepted transactions without an outcome */
function toResult(settled: Settled, acceptedFirst: number, totals: EngineTotals | null) {
  const accepted = acceptedFirst + settled.repeatedAccepted;
  const open = Math.max(0, accepted - settled.scored - settled.deadLettered);
  const pending = Math.min(open, totals?.pending ?? 0);
  return { open, settled: { ...settled, accepted, pending } };
}

/** Says why it waits, once for each reason of an outage, which a success ends; what is no outage is thrown. */
function createWaitNotes(onWaiting: (reason: string) => void) {
  const said = new Set<string>();
  return async <T>(work: Promise<T>): Promise<T | null> => {
    try {
      const value = await work;
      said.clear();
      return value;
    } catch (error) {
      if (!(error instanceof Failure && isUnavailable(error))) throw error;
      if (!said.has(error.message)) onWaiting(error.message);
      said.add(error.message);
      return null;
    }
  };
}

/** Reads the totals of GET /v1/status. @throws Failure `unavailable` when the API does not know them now */
export async function readTotals(client: ApiClient): Promise<EngineTotals> {
  const answer = await client.send({ method: 'GET', path: '/v1/status' });
  const { totals, postgres, redis }: Partial<Status> = answer.body ?? {};
  if (answer.status !== 200 || totals === undefined || totals.pending === null) {
    const away = postgres === 'down' ? 'Postgres' : redis === 'down' ? 'Redis' : null;
    const unknown =
      answer.status === 200 ? 'the API does not know its totals now' : refusal(answer).message;
    const why = away === null ? unknown : `${away} does not answer the API`;
    throw new Failure('unavailable', 'TOTALS_UNKNOWN', why);
  }
  return { scored: totals.scored, deadLettered: totals.dead_lettered, pending: totals.pending };
}

/**
 * The ledger without a database: the growth of the engine's own totals since before the first row. Totals include other
 * traffic of that time, so the counts are an estimate.
 */
export function countByTotals(before: EngineTotals | null, accepted: number): CountSettled {
  return async (now) => {
    const grown = (field: 'scored' | 'deadLettered') =>
      before === null || now === null ? 0 : Math.max(0, now[field] - before[field]);
    const deadLettered = Math.min(accepted, grown('deadLettered'));
    const scored = Math.min(accepted - deadLettered, grown('scored'));
    return {
      scored,
      deadLettered,
      doubled: 0,
      repeatedAccepted: 0,
      latencyP50Ms: 0,
      latencyP99Ms: 0,
    };
  };
}
