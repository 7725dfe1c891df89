/**
 * A child that serves until it is stopped. The child has a session of its own, so that Ctrl-C reaches the
 * engine first, and (through setpriv, where there is one) gets SIGINT from the kernel when the engine
 * dies without stopping it: a shutdown in good order even after kill -9.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Environment } from '../../../kit/config/config.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Account } from './account.ts';
import { findExecutable, serviceEnvironment } from './executable.ts';
import { freePort } from './free-port.ts';

export type ServiceSpec = {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Environment;
  readonly account: Account;
  readonly cwd: string;
  readonly logFile: string;
};

export type ServiceProcess = {
  readonly pid: number;
  /** Resolves to a sentence about how it ended, for whatever reason. Never rejects. */
  readonly ended: Promise<string>;
  readonly hasEnded: () => boolean;
  readonly logFile: string;
  readonly logTail: () => string;
  stop(): Promise<void>;
};

/** A service that is ready, at its address. */
export type RunningService = {
  readonly url: string;
  readonly port: number;
  readonly service: ServiceProcess;
};

const STOP_TIMEOUT_MS = 30_000;
const LOG_BYTES_MAX = 16 * 1024 * 1024;
const TAIL_LINES = 8;

/** @throws Failure where the program cannot be started */
export async function startService(spec: ServiceSpec): Promise<ServiceProcess> {
  // setpriv becomes the service, with the same process id.
  const setpriv = findExecutable('setpriv', undefined);
  const launch = setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'INT', '--'];
  const [program = '', ...args] = [...launch, spec.program, ...spec.args];
  const log = openLog(spec.logFile);
  let child: ChildProcess;
  try {
    child = spawn(program, args, {
      cwd: spec.cwd,
      env: serviceEnvironment(spec.environment),
      stdio: ['ignore', log, log],
      detached: true,
      ...spec.account,
    });
  } finally {
    closeSync(log);
  }
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code ?? 'unknown'}`));
  });
  if (child.pid === undefined) {
    throw new Failure('unavailable', 'SERVICE_FAILED', `${spec.name}: ${await ended}`);
  }
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  return {
    pid: child.pid,
    ended,
    hasEnded,
    logFile: spec.logFile,
    logTail: () => readTail(spec.logFile),
    stop: async () => {
      if (hasEnded()) return;
      child.kill('SIGINT');
      await Promise.race([ended, delay(STOP_TIMEOUT_MS, undefined, { ref: false })]);
      if (!hasEnded()) child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Appends, and starts over once the file is large. */
function openLog(file: string): number {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  return openSync(file, size > LOG_BYTES_MAX ? 'w' : 'a', 0o600);
}

function readTail(file: string): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES).join('\n');
  } catch {
    return '';
  }
}

const TRIES_MAX_MS = 10_000;
const TRY_AGAIN_MS = 100;

type OnPortOptions = Omit<ReadyOptions, 'name'> & {
  /** A free one by default. */
  readonly port?: number | undefined;
  readonly specOf: (port: number) => ServiceSpec;
  readonly isReady: (port: number, service: ServiceProcess) => boolean | Promise<boolean>;
  /** Last lines of a service that another process prevents for a moment: the port is taken, or the service before still ends. */
  readonly passes: RegExp;
};

/** Starts a service, and tries again while what prevents it passes by itself. */
export async function startOnPort(options: OnPortOptions): Promise<Omit<RunningService, 'url'>> {
  const endMs = performance.now() + TRIES_MAX_MS;
  for (;;) {
    const port = options.port ?? (await freePort());
    const spec = options.specOf(port);
    const service = await startService(spec);
    try {
      const isReady = () => options.isReady(port, service);
      await untilReady(service, isReady, { ...options, name: spec.name });
      return { port, service };
    } catch (error) {
      await service.stop();
      const passes = error instanceof Failure && options.passes.test(error.message);
      if (!passes || performance.now() > endMs) throw error;
      await delay(TRY_AGAIN_MS, undefined, { signal: options.signal });
    }
  }
}

/** How often a starting service is asked whether it is ready, and an ending one whether it has ended. */
const POLL_MS = 15;

type ReadyOptions = {
  readonly name: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

/** Polls until `isReady`; a service that ends first, or a deadline, is a Failure with its last lines. */
export async function untilReady(
  service: ServiceProcess,
  isReady: () => boolean | Promise<boolean>,
  { name, timeoutMs, signal }: ReadyOptions,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isReady())) {
    signal.throwIfAborted();
    const late = performance.now() > deadline;
    if (late || service.hasEnded()) {
      const how = late ? `was not ready within ${timeoutMs} ms` : `ended: ${await service.ended}`;
      throw new Failure('unavailable', 'SERVICE_FAILED', `${name} ${how}\n${service.logTail()}`);
    }
    await delay(POLL_MS);
  }
}

/**
 * Ends the service of a dead engine, whose shutdown may still be under way. The service is known by the process id it wrote and
 * by its working directory in our folder, so no other process is ended.
 * @param pidFile whose first line is the process id of the service that stands in `folder`
 */
export async function endLeftOver(folder: string, pidFile: string): Promise<void> {
  if (!existsSync(pidFile)) return;
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0]);
  const stands = () => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(folder);
    } catch {
      return false;
    }
  };
  if (stands()) process.kill(pid, 'SIGINT');
  const deadline = performance.now() + STOP_TIMEOUT_MS;
  while (stands()) {
    if (performance.now() > deadline) {
      const why = `process ${pid} of an earlier engine does not end`;
      throw new Failure('unavailable', 'SERVICE_LEFT_OVER', why);
    }
    await delay(POLL_MS);
  }
}
