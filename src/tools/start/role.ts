/**
 * Runs a role of the engine as a child of `risk start`: the role's log goes to a file, its /readyz says when the role is ready,
 * and SIGTERM drains the role. A role that ends by itself is started again, and given up where it ends soon after each start.
 */
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../kit/config/config.ts';
import { toError } from '../../kit/words/failure.ts';
import { API_NICENESS, raisePriority } from './services/raise-priority.ts';
import { type ServiceProcess, startService, untilReady } from './services/service-process.ts';

type RoleOptions = {
  readonly name: 'api' | 'worker';
  readonly environment: Environment;
  /** Address of its /readyz. */
  readonly healthUrl: string;
  readonly logFolder: string;
  readonly signal: AbortSignal;
  /** Prints a line on the screen. */
  readonly say: (text: string) => void;
};

export type RunningRole = {
  /** Resolves to its last log lines when it is given up; pending otherwise. */
  readonly givenUp: Promise<string>;
  /** Drains the role, or abandons its start. */
  stop(): Promise<void>;
};

/** Becomes the role by exec, under the memory bounds of a role. */
const LAUNCHER = fileURLToPath(new URL('../../../bin/risk', import.meta.url));
/** Longer than a role waits for its schema, so that its own error message is read. */
const READY_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 2_000;
/** A role that was ready for this long counts as healthy again. */
const STEADY_MS = 10_000;
const EARLY_ENDS_MAX = 5;
const WAIT_MS_FIRST = 250;
const WAIT_MS_MAX = 10_000;

/** Resolves once the role is ready for the first time. */
export async function runRole(options: RoleOptions): Promise<RunningRole> {
  const { name, say } = options;
  const logFile = join(options.logFolder, `${name}.log`);
  // Each start of the engine has a log of its own; the log of the start before stays beside it.
  if (existsSync(logFile)) renameSync(logFile, `${logFile}.1`);
  let running = await startRole(options, logFile);
  const stopping = new AbortController();
  const { signal } = stopping;
  const startAgain = async (waitMs: number): Promise<string | undefined> => {
    try {
      await delay(waitMs, undefined, { signal });
      running = await startRole({ ...options, signal }, logFile);
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

async function startRole(
  { name, environment, healthUrl, signal }: RoleOptions,
  logFile: string,
): Promise<ServiceProcess> {
  const given = Object.entries(environment).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  const service = await startService({
    name,
    program: '/bin/sh',
    args: [LAUNCHER, name],
    environment: Object.fromEntries(given),
    account: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, dropped: false },
    cwd: process.cwd(),
    logFile,
    stopSignal: 'SIGTERM',
    lastSignal: 'SIGKILL',
  });
  if (name === 'api') raisePriority(service.pid, API_NICENESS);
  try {
    const isReady = () => answersReady(healthUrl);
    await untilReady(service, isReady, { name, timeoutMs: READY_TIMEOUT_MS, signal });
  } catch (error) {
    await service.stop();
    throw error;
  }
  return service;
}

async function answersReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    return answer.ok;
  } catch {
    return false;
  }
}
