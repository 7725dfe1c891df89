/** Restarts a process that ends by itself, with growing waits, and gives up on a process that keeps ending soon after its start. */
import { setTimeout as delay } from 'node:timers/promises';
import { toError } from '../../../kit/words/failure.ts';
import { shortPath } from '../screen.ts';
import type { ServiceProcess } from './service-process.ts';

type SuperviseOptions = {
  readonly name: string;
  /** The running process. */
  readonly first: ServiceProcess;
  /** Resolves to a ready process. The signal aborts when the engine stops. */
  readonly start: (signal: AbortSignal) => Promise<ServiceProcess>;
  /** Prints a line on the screen. */
  readonly say: (text: string) => void;
};

export type Supervised = {
  /** Resolves to the last log lines once the process is given up, and is pending before. */
  readonly givenUp: Promise<string>;
  /** Ends the process in good order, or abandons its start. */
  stop(): Promise<void>;
};

/** Time ready after which earlier ends are forgotten. Shorter: a process that keeps ending is restarted forever. */
const STEADY_MS = 10_000;
const EARLY_ENDS_MAX = 5;
const WAIT_MS_FIRST = 250;
const WAIT_MS_MAX = 10_000;

export function supervise({ name, first, start, say }: SuperviseOptions): Supervised {
  let running = first;
  // The time in UTC finds the place in the log.
  const sayNow = (text: string) => say(`${new Date().toISOString()} ${text}`);
  const log = `log in ${shortPath(first.logFile)}`;
  const stopping = new AbortController();
  const { signal } = stopping;
  const startAgain = async (waitMs: number): Promise<string | undefined> => {
    try {
      await delay(waitMs, undefined, { signal });
      running = await start(signal);
      if (signal.aborted) await running.stop();
      return undefined;
    } catch (error) {
      return toError(error).message;
    }
  };
  const watch = async (): Promise<string> => {
    let earlyEnds = 0;
    for (;;) {
      const readyAtMs = performance.now();
      let how = await running.ended;
      let words = running.logTail();
      if (performance.now() - readyAtMs >= STEADY_MS) earlyEnds = 0;
      for (;;) {
        if (signal.aborted) return 'stopped';
        earlyEnds += 1;
        if (earlyEnds >= EARLY_ENDS_MAX) return `${name} keeps ending: ${how}; ${log}\n${words}`;
        const waitMs = Math.min(WAIT_MS_FIRST * 2 ** (earlyEnds - 1), WAIT_MS_MAX);
        sayNow(`${name} ended by itself (${how}): starting it again in ${waitMs / 1000} s; ${log}`);
        const failure = await startAgain(waitMs);
        if (failure === undefined) break;
        [how, words] = ['it does not start', failure];
      }
      sayNow(`${name} is back`);
    }
  };
  const watched = watch();
  return {
    givenUp: watched.then((words) =>
      signal.aborted ? new Promise<never>(() => undefined) : words,
    ),
    stop: async () => {
      stopping.abort();
      await running.stop();
      await watched;
    },
  };
}
