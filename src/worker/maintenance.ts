/**
 * Timed duties, each in a loop of its own and never twice at a time. A duty that fails is logged and
 * comes again: nothing here is worth the process.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure, toError } from '../domain/failure.ts';
import type { Log } from '../runtime/log.ts';

export type Duty = {
  readonly name: string;
  /** From the end of one run to the start of the next. */
  readonly everyMs: number;
  readonly run: (signal: AbortSignal) => Promise<void>;
};

/** Runs all duties until the signal; resolves when the last one has returned. */
export async function runMaintenance(
  duties: readonly Duty[],
  signal: AbortSignal,
  log: Log,
): Promise<void> {
  await Promise.all(duties.map((duty) => repeat(duty, signal, log)));
}

async function repeat(duty: Duty, signal: AbortSignal, log: Log): Promise<void> {
  let failing = false;
  while (!signal.aborted) {
    try {
      await duty.run(signal);
      failing = false;
    } catch (error) {
      const level = error instanceof Failure ? 'warn' : 'error';
      // One line when it begins to fail: a dependency that is down for an hour fails it thousands of times.
      if (!failing) log[level]({ duty: duty.name, err: toError(error).message }, 'duty failed');
      failing = true;
    }
    await sleep(duty.everyMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Of each of them, whichever fails; then throws what failed first. */
export async function ofEach<T>(
  items: readonly T[],
  run: (item: T) => Promise<unknown>,
): Promise<void> {
  const results = await Promise.allSettled(items.map(run));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw toError(failed.reason);
}
