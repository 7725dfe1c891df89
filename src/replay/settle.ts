/**
 * After the posting: waits until everything accepted is final, that is scored or a dead letter, or
 * until nothing has moved for `patienceMs`. What is known then is the ledger's other half.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { isUnavailable } from '../domain/failure.ts';
import { type ApiClient, parseJson } from './api-client.ts';

/** Totals of the whole engine, from GET /v1/status. */
export type EngineTotals = {
  readonly scored: number;
  readonly deadLettered: number;
  readonly pending: number;
};

/** What became of the accepted transactions. */
export type Settled = {
  readonly scored: number;
  readonly deadLettered: number;
  /** Score rows beyond one a transaction. */
  readonly doubled: number;
  /** Of the repeated duplicates, those that this replay had been the first to bring. */
  readonly repeatedAccepted: number;
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
};

export type SettleDependencies = {
  /** Null when the API does not tell just now. */
  readonly readTotals: () => Promise<EngineTotals | null>;
  /** Counts what became of the accepted ids; may be costly, so it is not asked at every poll. */
  readonly countSettled: (totals: EngineTotals | null) => Promise<Settled>;
};

export type SettleOptions = {
  readonly accepted: number;
  readonly patienceMs: number;
  readonly signal: AbortSignal;
  readonly onProgress: (final: number) => void;
};

export type SettleResult = Settled & {
  readonly accepted: number;
  /** Of the accepted: seen waiting when the wait ended. */
  readonly pending: number;
};

const POLL_MS = 200;
/** While others' work may be all that is pending, counting takes one part in this many of the time. */
const COUNT_SHARE = 30;
const FIRST_COUNT_AFTER_MS = 5_000;

export async function waitUntilSettled(
  dependencies: SettleDependencies,
  options: SettleOptions,
): Promise<SettleResult> {
  let movedMs = performance.now();
  let countDueMs = movedMs + FIRST_COUNT_AFTER_MS;
  let seen = '';
  for (;;) {
    const totals = await dependencies.readTotals();
    const startMs = performance.now();
    const moving = JSON.stringify(totals);
    if (moving !== seen) movedMs = startMs;
    seen = moving;
    if (totals !== null) options.onProgress(Math.max(0, options.accepted - totals.pending));
    const impatient = startMs - movedMs > options.patienceMs;
    if (totals?.pending === 0 || startMs >= countDueMs || impatient) {
      const settled = await dependencies.countSettled(totals);
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
  const totals = Object(parseJson(answer.text)['totals']) as Readonly<Record<string, unknown>>;
  const { scored, dead_lettered: deadLettered, pending } = totals;
  const known = [scored, deadLettered, pending].every((total) => Number.isSafeInteger(total));
  return known
    ? { scored: Number(scored), deadLettered: Number(deadLettered), pending: Number(pending) }
    : null;
}
