/**
 * A child that serves until it is stopped. The child has a session of its own, so that Ctrl-C reaches the
 * engine first, and (through setpriv, where there is one) gets SIGINT from the kernel when the engine
 * dies without stopping it: a shutdown in good order even after kill -9.
 */
import { spawn } from 'node:child_process';
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
import { settlesWithin } from '../../../kit/process/settles-within.ts';
import { Failure, toError } from '../../../kit/words/failure.ts';
import type { Account } from './account.ts';
import { findExecutable, serviceEnvironment } from './executable.ts';
import { isFree } from './free-port.ts';
import { raisePriority } from './raise-priority.ts';

export type ServiceSpec = {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly environment?: Environment;
  readonly account: Account;
  readonly cwd: string;
  readonly logFile: string;
  /** The CPU niceness of the service, where the machine allows a change; the niceness of the engine by default. */
  readonly niceness?: number | undefined;
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

/** How a store of this machine is started. */
export type StoreOptions = {
  readonly account: Account;
  /** Owned by the account; the files of the store become a folder of it. */
  readonly services: string;
  readonly password: string;
  readonly logFile: string;
  /** Setting → value, over the usual ones. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A free one by default. */
  readonly port?: number | undefined;
  readonly signal: AbortSignal;
};

const FAILED = 'SERVICE_FAILED';
const STOP_TIMEOUT_MS = 30_000;
/** A larger log is started over. */
const LOG_BYTES_MAX = 16 * 1024 * 1024;
const TAIL_LINES = 8;

/** @throws Failure where the program cannot be started */
export async function startService(spec: ServiceSpec): Promise<ServiceProcess> {
  // setpriv becomes the service, with the same process id.
  const setpriv = findExecutable('setpriv', undefined);
  const launch = setpriv === undefined ? [] : [setpriv, '--pdeathsig', 'INT', '--'];
  const [program = '', ...args] = [...launch, spec.program, ...spec.args];
  const logBytes = statSync(spec.logFile, { throwIfNoEntry: false })?.size ?? 0;
  const log = openSync(spec.logFile, logBytes > LOG_BYTES_MAX ? 'w' : 'a', 0o600);
  const child = spawn(program, args, {
    cwd: spec.cwd,
    env: serviceEnvironment(spec.environment),
    stdio: ['ignore', log, log],
    detached: true,
    ...spec.account,
  });
  closeSync(log);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code ?? 'unknown'}`));
  });
  if (child.pid === undefined) {
    throw new Failure('unavailable', FAILED, `${spec.name}: ${await ended}`);
  }
  if (spec.niceness !== undefined) raisePriority(child.pid, spec.niceness);
  return {
    pid: child.pid,
    ended,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    logFile: spec.logFile,
    logTail: () =>
      readFileSync(spec.logFile, 'utf8').trimEnd().split('\n').slice(-TAIL_LINES).join('\n'),
    stop: async () => {
      child.kill('SIGINT');
      if (!(await settlesWithin(ended, STOP_TIMEOUT_MS))) child.kill('SIGKILL');
      await ended;
    },
  };
}

/** How often a starting service is asked whether it is ready, and an ending one whether it has ended. */
const POLL_MS = 15;

export type ReadySpec = ServiceSpec & {
  /** The service is not ready where this throws. */
  readonly isReady: (service: ServiceProcess) => boolean | Promise<boolean>;
  readonly timeoutMs: number;
};

/** Starts a service and resolves once it is ready. One that ends first or takes too long is a Failure with its last lines. */
export async function startReady(spec: ReadySpec, signal: AbortSignal): Promise<ServiceProcess> {
  const { name, timeoutMs } = spec;
  const service = await startService(spec);
  const deadline = performance.now() + timeoutMs;
  const ask = async () => await spec.isReady(service);
  try {
    while (service.hasEnded() || !(await ask().catch(() => false))) {
      signal.throwIfAborted();
      const isLate = performance.now() > deadline;
      if (isLate || service.hasEnded()) {
        const how = isLate ? `is not ready in ${timeoutMs} ms` : `ended: ${await service.ended}`;
        throw new Failure('unavailable', FAILED, `${name} ${how}\n${service.logTail()}`);
      }
      await delay(POLL_MS);
    }
    return service;
  } catch (error) {
    await service.stop();
    throw error;
  }
}

const TRIES_MAX_MS = 10_000;
const TRY_AGAIN_MS = 100;
/**
 * Last lines of a service whose port another process has taken, and of a Postgres while processes of a killed postmaster have not
 * noticed yet (seen 30 ms after a kill -9).
 */
const PASSES =
  /could not bind|pre-existing shared memory block|address already in use|is taken: set/i;

/** Starts a service on the port that is chosen, and tries again while what prevents the start passes by itself. */
export async function startOnPort(
  choose: () => Promise<number>,
  specOf: (port: number) => ReadySpec,
  signal: AbortSignal,
): Promise<Omit<RunningService, 'url'>> {
  const endMs = performance.now() + TRIES_MAX_MS;
  for (;;) {
    const port = await choose();
    try {
      return { port, service: await startReady(specOf(port), signal) };
    } catch (error) {
      // A service says in its own language that its port is taken.
      const passes = PASSES.test(toError(error).message) || !(await isFree(port));
      if (!passes || performance.now() > endMs) throw error;
      await delay(TRY_AGAIN_MS, undefined, { signal });
    }
  }
}

/**
 * Ends the service of a dead engine, whose shutdown may still be under way. The service is known by the process id it wrote and
 * by its working directory in our folder, so no other process is ended.
 * @param pidFile whose first line is the process id of the service that stands in `folder`
 */
export async function endLeftOver(folder: string, pidFile: string): Promise<void> {
  if (!existsSync(pidFile)) return;
  const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
  const stands = () => {
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === realpathSync(folder);
    } catch {
      return false;
    }
  };
  if (stands()) process.kill(pid, 'SIGINT');
  const deadline = performance.now() + STOP_TIMEOUT_MS;
  for (; stands(); await delay(POLL_MS)) {
    const why = `process ${pid} of an earlier engine does not end`;
    if (performance.now() > deadline) throw new Failure('unavailable', 'SERVICE_LEFT_OVER', why);
  }
}
