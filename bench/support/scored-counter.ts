/**
 * How far the workers are, from their own metrics: a scrape a second costs a worker about a
 * millisecond, while counting rows in Postgres would take from the very thing that is measured.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../src/domain/failure.ts';
import type { RoleProcess } from './role-process.ts';

const POLL_MS = 1000;
/** Near the end the poll is the resolution of the clock. */
const LAST_POLL_MS = 50;
const NEAR_END_SHARE = 0.97;
const STALL_MS = 60_000;

export type ScoredProgress = {
  /** Epoch milliseconds at which all were seen stored. */
  readonly finishedMs: number;
  /** Scored in each poll, with the time it covers. */
  readonly samples: readonly { readonly atMs: number; readonly scored: number }[];
};

/** Waits until the workers together have stored `total` scores; a Failure when they stop moving. */
export async function untilScored(
  workers: readonly RoleProcess[],
  total: number,
  signal: AbortSignal,
): Promise<ScoredProgress> {
  const samples: { atMs: number; scored: number }[] = [];
  let movedMs = Date.now();
  for (;;) {
    const counts = await Promise.all(workers.map((worker) => readScored(worker, signal)));
    const scored = counts.reduce((sum, count) => sum + count, 0);
    const atMs = Date.now();
    if (scored > (samples.at(-1)?.scored ?? 0)) movedMs = atMs;
    samples.push({ atMs, scored });
    if (scored >= total) return { finishedMs: atMs, samples };
    if (atMs - movedMs > STALL_MS) {
      throw new Failure('permanent', 'STALLED', `${scored} of ${total} scored, and no more come`);
    }
    await delay(scored < total * NEAR_END_SHARE ? POLL_MS : LAST_POLL_MS, undefined, { signal });
  }
}

async function readScored(worker: RoleProcess, signal: AbortSignal): Promise<number> {
  const response = await fetch(`${worker.url}/metrics`, { signal });
  const text = await response.text();
  if (!response.ok) throw new Error(`${worker.name}: /metrics answered ${response.status}`);
  let scored = 0;
  for (const [, value] of text.matchAll(/^risk_transactions_scored_total(?:\{.*\})? (\d+)$/gm)) {
    scored += Number(value);
  }
  return scored;
}
