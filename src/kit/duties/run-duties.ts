/**
 * Timed duties, each in a loop of its own and never twice at a time. A duty that fails is logged and
 * comes again soon: nothing here is worth the process.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../metrics/log.ts';
import { Failure, toError } from '../words/failure.ts';

export type Duty = {
  readonly name: string;
  /** Time from the end of one run to the start of the next. */
  readonly everyMs: number;
  readonly run: (signal: AbortSignal) => Promise<void>;
};

/** The wait after a first failure; it doubles with each further one, up to the longest. */
const RETRY_MS_MIN = 500;
const RETRY_MS_MAX = 30_000;

/** Wait of a duty after this many failures in a row: never longer than its interval. */
export function waitMs({ everyMs }: Pick<Duty, 'everyMs'>, failures: number): number {
  if (failures === 0) return everyMs;
  return Math.min(everyMs, RETRY_MS_MAX, RETRY_MS_MIN * 2 ** (failures - 1));
}

/**
 * Duties of all processes of a machine begin at the same ticks, as work just after a pause takes six times the processor time: with
 * ticks an idle engine takes a third less. Longer: duties begin later than their interval says. Shorter: duties seldom share a tick.
 */
const TICK_MS = 100;

/** Milliseconds from now until the first tick at which at least `ms` have passed. */
export function untilTickMs(ms: number, nowMs = Date.now()): number {
  return ms < TICK_MS ? ms : TICK_MS * Math.ceil((nowMs + ms) / TICK_MS) - nowMs;
}

/** Runs all duties until the signal; resolves when the last one has returned. */
export async function runMaintenance(
  duties: readonly Duty[],
  signal: AbortSignal,
  log: Log,
): Promise<void> {
  await Promise.all(duties.map((duty) => repeat(duty, signal, log)));
}

async function repeat(duty: Duty, signal: AbortSignal, log: Log): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await duty.run(signal);
      failures = 0;
    } catch (error) {
      const level = error instanceof Failure ? 'warn' : 'error';
      // Logged once when it begins to fail: a dependency that is down for an hour fails it thousands of times.
      if (failures === 0)
        log[level]({ duty: duty.name, err: toError(error).message }, 'duty failed');
      failures += 1;
    }
    await sleep(untilTickMs(waitMs(duty, failures)), undefined, { signal }).catch(() => undefined);
  }
}

/** Runs for each item even where others fail; then rethrows the first error. */
export async function ofEach<T>(
  items: readonly T[],
  run: (subject: T) => Promise<unknown>,
): Promise<void> {
  const results = await Promise.allSettled(items.map(run));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw toError(failed.reason);
}
