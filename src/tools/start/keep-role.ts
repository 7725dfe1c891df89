/**
 * Keeps a role of `risk start` running: starts it again after a growing wait when it ends by itself, and
 * reports that on the screen. Gives a role up that ends soon after each start, and shows its last log lines:
 * its trouble does not pass by itself.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { toError } from '../../kit/words/failure.ts';
import type { ServiceProcess } from './services/service-process.ts';

type KeptRole = {
  /** Resolves to its last log lines when it is given up; pending otherwise. */
  readonly givenUp: Promise<string>;
  /** Drains the role, or abandons its start. */
  stop(): Promise<void>;
};

type KeepRoleOptions = {
  readonly name: string;
  /** Starts it again; resolves once it is ready; stops trying when the signal is aborted. */
  readonly start: (signal: AbortSignal) => Promise<ServiceProcess>;
  /** A line for the screen. */
  readonly say: (text: string) => void;
};

/** A role that was ready for this long counts as healthy again. */
const STEADY_MS = 10_000;
const EARLY_ENDS_MAX = 5;
const WAIT_MS_FIRST = 250;
const WAIT_MS_MAX = 10_000;

/** @param first the role, ready for the first time */
export function keepRole(first: ServiceProcess, { name, start, say }: KeepRoleOptions): KeptRole {
  const stopping = new AbortController();
  const { signal } = stopping;
  let running = first;
  /** A role that is ready again, or why it is not. */
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
  const keep = async (): Promise<string> => {
    let earlyEnds = 0;
    for (;;) {
      const readyAtMs = performance.now();
      let how = await running.ended;
      let words = running.logTail();
      if (performance.now() - readyAtMs >= STEADY_MS) earlyEnds = 0;
      for (;;) {
        if (signal.aborted) return 'stopped';
        earlyEnds += 1;
        if (earlyEnds >= EARLY_ENDS_MAX) return `${name} keeps ending: ${how}\n${words}`;
        const waitMs = Math.min(WAIT_MS_FIRST * 2 ** (earlyEnds - 1), WAIT_MS_MAX);
        say(`${name} ended by itself (${how}): starting it again in ${waitMs / 1000} s`);
        const failure = await startAgain(waitMs);
        if (failure === undefined) break;
        [how, words] = ['it does not start', failure];
      }
      say(`${name} is back`);
    }
  };
  const kept = keep();
  return {
    givenUp: kept.then((words) => (signal.aborted ? new Promise<never>(() => undefined) : words)),
    stop: async () => {
      stopping.abort();
      await running.stop();
      await kept;
    },
  };
}
