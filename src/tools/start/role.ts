/**
 * Runs a role of the engine as a child of `risk start`: the role's log goes to a file, its /readyz says when the role is ready,
 * and SIGINT drains the role.
 */
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../kit/config/config.ts';
import { ownAccount } from './services/account.ts';
import { API_NICENESS } from './services/raise-priority.ts';
import { startReady } from './services/service-process.ts';
import { type Supervision, supervise } from './services/supervise.ts';

export type RoleOptions = Supervision & {
  readonly name: 'api' | 'worker';
  readonly environment: Environment;
  /** Address of its /readyz. */
  readonly healthUrl: string;
  readonly logFolder: string;
  readonly signal: AbortSignal;
};

/** Becomes the role by exec, under the memory bounds of a role. */
export const LAUNCHER = fileURLToPath(new URL('../../../bin/risk', import.meta.url));
/** Longer than a role waits for its schema, so that its own error message is read. */
const READY_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 2_000;

/** Resolves once the role is ready for the first time. */
export async function runRole(options: RoleOptions): Promise<AsyncDisposable> {
  const { name, environment, healthUrl } = options;
  const logFile = join(options.logFolder, `${name}.log`);
  // Each start of the engine has a log of its own; the log of the start before stays beside it.
  if (existsSync(logFile)) renameSync(logFile, `${logFile}.1`);
  const program = { program: '/bin/sh', args: [LAUNCHER, name], cwd: process.cwd() };
  const niceness = name === 'api' ? API_NICENESS : undefined;
  const spec = { ...program, name, environment, account: ownAccount(), logFile, niceness };
  const isReady = async () => {
    const probe = { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) };
    return (await fetch(`${healthUrl}/readyz`, probe)).ok;
  };
  const start = (signal: AbortSignal) =>
    startReady(spec, { isReady, timeoutMs: READY_TIMEOUT_MS, signal });
  return supervise(name, await start(options.signal), start, options);
}
