/**
 * A process of the engine, started as an operator starts it (`bin/risk api` or `worker`, which becomes
 * the role by exec) and ready for work; its output goes to a file. It can be stopped, killed, and started
 * again.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Failure } from '../../src/kit/words/failure.ts';
import { API_NICENESS, raisePriority } from '../../src/tools/start/services/raise-priority.ts';
import { LAUNCHER } from './services.ts';

export type Role = 'api' | 'worker';

export type RoleOptions = {
  readonly role: Role;
  /** The name in messages and of the log file: `worker-1`. */
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Where /livez and /readyz answer; the same after a restart. */
  readonly port: number;
  readonly logFolder: string;
  /** bin/risk of another checkout; this one's by default. */
  readonly launcher?: string | undefined;
  /** Program and arguments in place of the launcher; the role is its last argument. */
  readonly program?: readonly string[] | undefined;
  /** Program and arguments that become what follows them, in a control group. */
  readonly within?: readonly string[] | undefined;
  /** Flags of node in place of those that bin/risk gives a role. */
  readonly nodeFlags?: readonly string[] | undefined;
  /** The process writes a V8 CPU profile there when it ends. */
  readonly profileFolder?: string | undefined;
};

export type RoleProcess = {
  readonly name: string;
  readonly role: Role;
  readonly url: string;
  readonly pid: number;
  /** Resolves when it ends, to its signal or `exit code N`. */
  readonly ended: Promise<string>;
  readonly hasEnded: () => boolean;
  readonly logTail: () => string;
  kill(): void;
  /** SIGTERM, then waits for the end; throws when it does not end in good order. */
  stop(): Promise<void>;
};

const READY_TIMEOUT_MS = 60_000;
const READY_POLL_MS = 20;
const LOG_TAIL_LINES = 12;

/**
 * Waits until the role reports that it is ready; throws a Failure with its last lines when it ends first or
 * takes too long.
 */
export async function untilReady(started: RoleProcess, signal: AbortSignal): Promise<RoleProcess> {
  const deadline = performance.now() + READY_TIMEOUT_MS;
  while (!(await isReady(started.url))) {
    const late = performance.now() > deadline;
    if (late || started.hasEnded() || signal.aborted) {
      started.kill();
      const how = late ? 'was not ready in time' : `ended: ${await started.ended}`;
      throw new Failure(
        'unavailable',
        'ROLE_NOT_READY',
        `${started.name} ${how}\n${started.logTail()}`,
      );
    }
    await delay(READY_POLL_MS);
  }
  return started;
}

export function spawnRole(options: RoleOptions): RoleProcess {
  const { role, name, port, profileFolder, nodeFlags = [], launcher = LAUNCHER } = options;
  const { within = [], program: own = ['/bin/sh', launcher] } = options;
  const [program = '', ...args] = [...within, ...own];
  const profile = profileFolder === undefined ? [] : profileFlags(profileFolder, name);
  const flags = [...nodeFlags, ...profile].join(' ');
  const output = openSync(logFile(options), 'a');
  let child: ChildProcess;
  try {
    child = spawn(program, [...args, role], {
      env: {
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        ...(flags === '' ? {} : { NODE_OPTIONS: flags }),
        [role === 'api' ? 'PORT' : 'RISK_WORKER_PORT']: String(port),
        RISK_SHUTDOWN_GRACE_MS: '0',
        ...options.environment,
      },
      stdio: ['ignore', output, output],
      // A session of its own, as `risk start` gives it: Linux shares processors out by session (autogroup),
      // every Postgres backend opens one, and all roles would have one backend's share with the generator's.
      detached: true,
    });
  } finally {
    closeSync(output);
  }
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signalName) => resolve(signalName ?? `exit code ${code}`));
  });
  // The signal that `risk start` sends, too.
  if (role === 'api' && child.pid !== undefined) raisePriority(child.pid, API_NICENESS);
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  return {
    ...{ name, role, ended, hasEnded },
    url: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    logTail: () =>
      readFileSync(logFile(options), 'utf8')
        .trimEnd()
        .split('\n')
        .slice(-LOG_TAIL_LINES)
        .join('\n'),
    kill: () => {
      child.kill('SIGKILL');
    },
    stop: async () => {
      child.kill('SIGTERM');
      const how = await ended;
      if (how !== 'exit code 0') {
        throw new Failure('permanent', 'ROLE_STOPPED_BADLY', `${name} ended by ${how}`);
      }
    },
  };
}

function logFile({ logFolder, name }: RoleOptions): string {
  return `${logFolder}/${name}.log`;
}

function profileFlags(folder: string, name: string): string[] {
  return ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}.cpuprofile`];
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
