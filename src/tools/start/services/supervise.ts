/** Restarts a process that ends by itself, with growing waits, and gives up on a process that keeps ending soon after its start. */
import { setTimeout as delay } from 'node:timers/promises';
import { toError } from '../../../kit/words/failure.ts';
import { shortPath } from '../screen.ts';
import type { ServiceProcess } from './service-process.ts';

export type Supervision = {
  /** Prints a line on the screen when a process ends by itself and when it is back. */
  readonly say: (text: string) => void;
  /** Called with the last log lines once a process is given up. */
  readonly giveUp: (why: string) => void;
};

/** Time ready after which earlier ends are forgotten. Shorter: a process that keeps ending is restarted forever. */
const STEADY_MS = 10_000;
const EARLY_ENDS_MAX = 5;
const WAIT_MS_FIRST = 250;
const WAIT_MS_MAX = 10_000;

/**
 * @param first the running process
 * @param start resolves to a ready process; the signal aborts when the engine stops
 * @returns disposed, ends the process in good order
 */
export function supervise(
  name: string,
  first: ServiceProcess,
  start: (signal: AbortSignal) => Promise<ServiceProcess>,
  { say, giveUp }: Supervision,
): AsyncDisposable {
  let running = first;
  // The time in UTC finds the place in the log.
  const sayNow = (text: string) => say(`${new Date().toISOString()} ${text}`);
  const log = `log in ${shortPath(first.logFile)}`;
  const stopping = new AbortController();
  const { signal } = stopping;
  const watch = async () => {
    let failure: string | undefined;
    for (let ends = 1; ; ends++) {
      const sinceMs = performance.now();
      const how = failure === undefined ? await running.ended : 'it does not start';
      if (signal.aborted) return;
      if (performance.now() - sinceMs >= STEADY_MS) ends = 1;
      const words = failure ?? running.logTail();
      if (ends >= EARLY_ENDS_MAX) return giveUp(`${name} keeps ending: ${how}; ${log}\n${words}`);
      const waitMs = Math.min(WAIT_MS_FIRST * 2 ** (ends - 1), WAIT_MS_MAX);
      sayNow(`${name} ended by itself (${how}): starting it again in ${waitMs / 1000} s; ${log}`);
      try {
        await delay(waitMs, undefined, { signal });
        running = await start(signal);
        failure = undefined;
        sayNow(`${name} is back`);
      } catch (error) {
        failure = toError(error).message;
      }
    }
  };
  const watched = watch();
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await running.stop();
      await watched;
      // A start that was under way may have made another process.
      await running.stop();
    },
  };
}
