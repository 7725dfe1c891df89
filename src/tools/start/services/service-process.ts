/**
 * A child that serves until it is stopped. The child has a session of its own, so that Ctrl-C reaches the
 * engine first, and (through setpriv, where there is one) gets SIGINT from the kernel when the engine
 * dies without stopping it: a shutdown in good order even after kill -9.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../../kit/words/failure.ts';
import { type Account, identity } from './account.ts';
import { ask, findExecutable, serviceEnvironment } from './executable.ts';
import { freePort } from './free-port.ts';

export type ServiceSpec = {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly account: Account;
  readonly cwd: string;
  readonly logFile: string;
  /** The signal that ends it in good order. */
  readonly stopSignal: 'SIGINT' | 'SIGTERM';
  /** The signal that ends it when the first did not. */
  readonly lastSignal: 'SIGQUIT' | 'SIGKILL';
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

export async function startService(spec: ServiceSpec): Promise<ServiceProcess> {
  const launch = await launcher(spec);
  const log = openLog(spec.logFile);
  let child: ChildProcess;
  try {
    child = spawn(launch.program, launch.args, {
      cwd: spec.cwd,
      env: serviceEnvironment(spec.environment),
      stdio: ['ignore', log, log],
      detached: true,
      ...(launch.dropsAlready ? {} : identity(spec.account)),
    });
  } finally {
    closeSync(log);
  }
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code ?? 'unknown'}`));
  });
  const hasEnded = () =>
    child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  if (child.pid === undefined) {
    throw new Failure('unavailable', 'SERVICE_FAILED', `${spec.name}: ${await ended}`);
  }
  return {
    pid: child.pid,
    ended,
    hasEnded,
    logFile: spec.logFile,
    logTail: () => readTail(spec.logFile),
    stop: async () => {
      if (hasEnded()) return;
      child.kill(spec.stopSignal);
      await Promise.race([ended, delay(STOP_TIMEOUT_MS, undefined, { ref: false })]);
      if (!hasEnded()) child.kill(spec.lastSignal);
      await ended;
    },
  };
}

type Launch = {
  readonly program: string;
  readonly args: readonly string[];
  readonly dropsAlready: boolean;
};

/**
 * Runs the command through setpriv where that knows --pdeathsig (util-linux): setpriv becomes the service, with
 * the same process id.
 */
async function launcher({ program, args, account }: ServiceSpec): Promise<Launch> {
  const plain = { program, args, dropsAlready: false };
  const setpriv = findExecutable('setpriv', undefined);
  if (setpriv === undefined) return plain;
  const help = await ask(setpriv, ['--help']);
  if (!help.stdout.includes('--pdeathsig')) return plain;
  const drop = account.dropped
    ? [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups']
    : [];
  return {
    program: setpriv,
    args: [...drop, '--pdeathsig', 'INT', '--', program, ...args],
    dropsAlready: true,
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
  /** Last lines of a service whose port another process has taken before it. */
  readonly portTaken: RegExp;
  /** Last lines of a service that cannot start yet, as processes of the one before still end. */
  readonly notYet?: RegExp;
};

/** Starts a service, and tries again while what prevents it passes by itself. */
export async function startOnPort(options: OnPortOptions): Promise<Omit<RunningService, 'url'>> {
  const { specOf, isReady, portTaken, notYet = /$^/, signal } = options;
  const endMs = performance.now() + TRIES_MAX_MS;
  for (;;) {
    const port = options.port ?? (await freePort());
    const spec = specOf(port);
    const service = await startService(spec);
    try {
      await untilReady(service, () => isReady(port, service), { ...options, name: spec.name });
      return { port, service };
    } catch (error) {
      await service.stop();
      const said = error instanceof Failure ? error.message : '';
      const passes = notYet.test(said) || (options.port === undefined && portTaken.test(said));
      if (!passes || performance.now() > endMs) throw error;
      await delay(TRY_AGAIN_MS, undefined, { signal });
    }
  }
}

/** How often a starting service is asked whether it is ready. */
const READY_POLL_MS = 15;

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
    await delay(READY_POLL_MS);
  }
}
