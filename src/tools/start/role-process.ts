/**
 * One of the engine's own roles as a child of `risk start`: its log goes to a file, it is ready when
 * its /readyz says so, and SIGTERM drains it.
 */
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../kit/config/config.ts';
import { API_NICENESS, raisePriority } from './services/raise-priority.ts';
import { type ServiceProcess, startService, untilReady } from './services/service-process.ts';

export type RoleOptions = {
  readonly role: 'api' | 'worker';
  /** Distinguishes log files of several workers. */
  readonly name: string;
  readonly environment: Environment;
  /** Address of its /readyz. */
  readonly healthUrl: string;
  readonly logFolder: string;
  readonly signal: AbortSignal;
  /** True: appends to the log, so that the lines before a restart stay. */
  readonly isAgain?: boolean;
};

/** Becomes the role by exec, under the memory bounds of a role. */
const LAUNCHER = fileURLToPath(new URL('../../../bin/risk', import.meta.url));
/** Longer than a role waits for its schema, so that its own error message is read. */
const READY_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 2_000;

export async function startRole(options: RoleOptions): Promise<ServiceProcess> {
  const { name, role, environment, signal } = options;
  const given = Object.entries(environment).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value] as const],
  );
  const logFile = join(options.logFolder, `${name}.log`);
  if (options.isAgain !== true) keepFormerLog(logFile);
  const service = await startService({
    name,
    program: '/bin/sh',
    args: [LAUNCHER, role],
    environment: Object.fromEntries(given),
    account: { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, dropped: false },
    cwd: process.cwd(),
    logFile,
    stopSignal: 'SIGTERM',
    lastSignal: 'SIGKILL',
  });
  if (role === 'api') raisePriority(service.pid, API_NICENESS);
  try {
    const isReady = () => answersReady(options.healthUrl);
    await untilReady(service, isReady, { name, timeoutMs: READY_TIMEOUT_MS, signal });
  } catch (error) {
    await service.stop();
    throw error;
  }
  return service;
}

/** Each start has a log of its own, so that its last lines belong to this start; the previous log is kept. */
function keepFormerLog(logFile: string): void {
  if (existsSync(logFile)) renameSync(logFile, `${logFile}.1`);
}

async function answersReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    return answer.ok;
  } catch {
    return false;
  }
}
