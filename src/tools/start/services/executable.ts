/** Finds programs on the PATH and runs them, outside the caller's folder and without a shell. */
import { type ExecFileOptions, execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Environment } from '../../../kit/config/config.ts';
import type { Account } from './account.ts';

/** `bin/risk`, which becomes a command or a role by exec, under the memory bounds of a role. */
export const LAUNCHER = fileURLToPath(new URL('../../../../bin/risk', import.meta.url));
/** Folders searched after those of PATH: a trimmed PATH must not hide installed programs. */
const USUAL_FOLDERS = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin'];
const ASK_TIMEOUT_MS = 10_000;
const ANSWER_BYTES_MAX = 16 * 1024 * 1024;

export function findExecutable(name: string, path: string | undefined): string | undefined {
  const folders = [...(path ?? '').split(delimiter).filter(Boolean), ...USUAL_FOLDERS];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

type AskOptions = {
  readonly account?: Account;
  readonly environment?: Environment;
  readonly cwd?: string;
  /** Written to its standard input. */
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
};

export type Answer = { readonly ok: boolean; readonly stdout: string; readonly stderr: string };

/** Runs a program to its end; a failure to start, a timeout and a bad exit are all `ok: false`. */
export function ask(
  program: string,
  args: readonly string[],
  options: AskOptions = {},
): Promise<Answer> {
  const settings: ExecFileOptions = {
    cwd: options.cwd ?? '/',
    timeout: options.timeoutMs ?? ASK_TIMEOUT_MS,
    maxBuffer: ANSWER_BYTES_MAX,
    encoding: 'utf8',
    env: serviceEnvironment(options.environment),
    ...options.account,
    ...(options.signal ? { signal: options.signal } : {}),
  };
  return new Promise((resolve) => {
    const child = execFile(program, args, settings, (error, stdout, stderr) => {
      resolve({ ok: error === null, stdout: String(stdout), stderr: String(stderr) });
    });
    // The exit code judges a program that ends without reading its input, not the broken pipe.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}

/** The minimum that a service needs: nothing of the caller's environment, so none of its secrets. */
export const serviceEnvironment = (more: Environment = {}): Environment => ({
  ...{ PATH: USUAL_FOLDERS.join(delimiter), LC_ALL: 'C', TZ: 'UTC' },
  ...more,
});
