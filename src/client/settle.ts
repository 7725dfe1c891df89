/**
 * Waits after the posting until every accepted transaction is final, that is scored or a dead letter, or until
 * nothing has changed for `patienceMs`. The outcomes at that time are the ledger's other half.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { isUnavailable } from '../domain/failure.ts';
import { type ApiClient, parseJson } from './api-client.ts';
import type { Status } from './api-types.ts';

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

/** Counts the outcomes of the accepted ids; it may be costly, so not every poll calls it. */
export type CountSettled = (totals: EngineTotals | null) => Promise<Settled>;

export type SettleResult = Settled & {
  readonly accepted: number;
  /** Accepted transactions that still waited when the wait ended. */
  readonly pending: number;
};

const POLL_MS = 200;
/** Counting takes at most this fraction of the time while pending work may be others'. */
const COUNT_SHARE = 30;
const FIRST_COUNT_AFTER_MS = 5_000;

/** @param readTotals null when the API does not answer with them now */
export async function waitUntilSettled(
  readTotals: () => Promise<EngineTotals | null>,
  countSettled: CountSettled,
  options: {
    readonly accepted: number;
    readonly patienceMs: number;
    readonly signal: AbortSignal;
    readonly onProgress: (final: number) => void;
  },
): Promise<SettleResult> {
  let movedMs = performance.now();
  let countDueMs = movedMs + FIRST_COUNT_AFTER_MS;
  let seen = '';
  for (;;) {
    const totals = await readTotals();
    const startMs = performance.now();
    const moving = JSON.stringify(totals);
    if (moving !== seen) movedMs = startMs;
    seen = moving;
    if (totals !== null) options.onProgress(Math.max(0, options.accepted - totals.pending));
    const impatient = startMs - movedMs > options.patienceMs;
    if (totals?.pending === 0 || startMs >= countDueMs || impatient) {
      const settled = await countSettled(totals);
      const nowMs = performance.now();
      countDueMs = nowMs + COUNT_SHARE * (nowMs - startMs);
      const accepted = options.accepted + settled.repeatedAccepted;
      const open = Math.max(0, accepted - settled.scored - settled.deadLettered);
      if (open === 0 || impatient) {
        return { ...settled, accepted, pending: Math.min(open, totals?.pending ?? 0) };
      }
    }
    await wait(POLL_MS, undefined, { signal: options.signal });
  }
}

/** Reads the totals of GET /v1/status. */
export async function readTotals(client: ApiClient): Promise<EngineTotals | null> {
  const answer = await client.send({ method: 'GET', path: '/v1/status' }).catch((error) => {
    if (isUnavailable(error)) return null;
    throw error;
  });
  if (answer === null || answer.status !== 200) return null;
  const { totals } = parseJson<Status>(answer.text);
  if (totals === undefined || totals.pending === null) return null;
  return { scored: totals.scored, deadLettered: totals.dead_lettered, pending: totals.pending };
}
