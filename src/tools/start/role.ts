/**
 * Runs a role of the engine as a child of `risk start`: the role's log goes to a file, its /readyz says when the role is ready,
 * and SIGINT drains the role.
 */
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../kit/config/config.ts';
import { ownAccount } from './services/account.ts';
import { API_NICENESS, raisePriority } from './services/raise-priority.ts';
import { type ServiceProcess, startService, untilReady } from './services/service-process.ts';
import { type Supervised, supervise } from './services/supervise.ts';

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

/** Becomes the role by exec, under the memory bounds of a role. */
const LAUNCHER = fileURLToPath(new URL('../../../bin/risk', import.meta.url));
/** Longer than a role waits for its schema, so that its own error message is read. */
const READY_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 2_000;

/** Resolves once the role is ready for the first time. */
export async function runRole(options: RoleOptions): Promise<Supervised> {
  const { name, say } = options;
  const logFile = join(options.logFolder, `${name}.log`);
  // Each start of the engine has a log of its own; the log of the start before stays beside it.
  if (existsSync(logFile)) renameSync(logFile, `${logFile}.1`);
  const start = (signal: AbortSignal) => startRole({ ...options, signal }, logFile);
  return supervise({ name, first: await start(options.signal), start, say });
}

async function startRole(
  { name, environment, healthUrl, signal }: RoleOptions,
  logFile: string,
): Promise<ServiceProcess> {
  const service = await startService({
    name,
    program: '/bin/sh',
    args: [LAUNCHER, name],
    environment,
    account: ownAccount(),
    cwd: process.cwd(),
    logFile,
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
