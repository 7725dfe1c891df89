/** A worker process that is started again, with growing waits, whenever it ends by itself; SIGTERM drains it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { EXIT } from '../../../kit/command/command.ts';
import { type Environment, EXIT_BAD_CONFIGURATION } from '../../../kit/config/config.ts';
import type { Log } from '../../../kit/metrics/log.ts';

/** Becomes the worker by exec, under the memory bounds of a role: the process id stays. */
const LAUNCHER = fileURLToPath(new URL('../../../../bin/risk', import.meta.url));
/** Exit codes that another start would end with as well. */
const INCURABLE: readonly number[] = [EXIT_BAD_CONFIGURATION, EXIT.impossibleHere];
/** Time after which earlier ends are forgotten. Shorter: a worker that keeps ending is started without pause. */
const STEADY_MS = 10_000;
const [WAIT_MS_MIN, WAIT_MS_MAX] = [250, 30_000];
/** A worker ends by force itself when its drain takes too long; then it needs so much longer at most. */
const GRACE_MS = 5000;

export type SupervisedWorker = {
  /** Undefined while none runs. */
  readonly pid: () => number | undefined;
  /** Resolves once the worker has drained and ended. */
  stop(): Promise<void>;
};

type SupervisedOptions = {
  readonly environment: Environment;
  /** Longest drain of a worker. */
  readonly drainMs: number;
  readonly log: Log;
  /** Called when a worker found its configuration bad, which another start does not mend. */
  readonly onRefused: () => void;
};

/** Starts a worker, again and again until `stop`. */
export function superviseWorker({
  environment,
  drainMs,
  log,
  onRefused,
}: SupervisedOptions): SupervisedWorker {
  const stopping = new AbortController();
  let child: ChildProcess | undefined;
  const runOnce = async () => {
    const started = startWorker(environment);
    child = started;
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    started.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    started.once('error', (error) => resolve(error.message));
    const how = await ended;
    child = undefined;
    return { how, code: started.exitCode };
  };
  const repeat = async () => {
    for (let ends = 0; ; ) {
      const startedMs = performance.now();
      const { how, code } = await runOnce();
      if (stopping.signal.aborted) return;
      if (code !== null && INCURABLE.includes(code)) return onRefused();
      ends = performance.now() - startedMs < STEADY_MS ? ends + 1 : 1;
      const waitMs = Math.min(WAIT_MS_MIN * 2 ** (ends - 1), WAIT_MS_MAX);
      log.warn({ how, waitMs }, 'worker ended by itself: starting it again');
      await delay(waitMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
    }
  };
  const repeated = repeat();
  return {
    pid: () => child?.pid,
    async stop() {
      stopping.abort();
      const running = child;
      running?.kill('SIGTERM');
      const force = setTimeout(() => running?.kill('SIGKILL'), drainMs + GRACE_MS);
      await repeated;
      clearTimeout(force);
    },
  };
}

/**
 * A session of its own keeps Ctrl-C from the worker, which would take the SIGTERM after it for a demand to end at once. The
 * channel closes when this process dies, whatever ends it, and the worker then drains.
 */
function startWorker(environment: Environment): ChildProcess {
  return spawn('/bin/sh', [LAUNCHER, 'worker'], {
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    detached: true,
  });
}
