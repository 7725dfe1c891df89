/**
 * `bin/risk ARGS` as a child with exactly the environment a test gives. Disposing it kills it, by its
 * own process id.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Ran } from './run-risk.ts';
import { waitUntil } from './wait-until.ts';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
/** The source that `bin/risk` runs. */
export const SOURCE = fileURLToPath(new URL('../../src/main/cli.ts', import.meta.url));
/** The set-up of tests names here what a test runs in place of the source (bundle.ts). */
export const BUNDLE = 'RISK_TEST_BUNDLE';
const CLI = process.env[BUNDLE] ?? SOURCE;
/** Modules that a start loads stay: collections of a semi-space that begins with 1 MiB took a sixth of the processor time of a start. */
const V8_FLAGS = ['--min-semi-space-size=16'];
const NODE_COMPILE_CACHE = `${REPOSITORY}/node_modules/.cache/node-compile`;

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type RiskProcess = {
  readonly pid: number;
  /** The text that the process wrote so far. */
  stdout(): string;
  stderr(): string;
  readonly exited: Promise<Exit>;
  hasExited(): boolean;
  kill(signal: NodeJS.Signals): void;
  /** Waits until standard output or standard error matches. */
  waitFor(pattern: RegExp, deadlineMs: number): Promise<RegExpExecArray>;
  [Symbol.asyncDispose](): Promise<void>;
};

export function spawnRisk(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): RiskProcess {
  return watch(
    spawn(process.execPath, [...V8_FLAGS, CLI, ...args], {
      cwd: '/',
      env: childEnvironment(environment),
    }),
  );
}

/** The part of the test's environment that finds programs and the cache of compiled sources of `bin/risk`. */
export function childEnvironment(
  environment: Readonly<Record<string, string>>,
): Record<string, string> {
  const { PATH = '', HOME = '/' } = process.env;
  return { PATH, HOME, NODE_COMPILE_CACHE, RISK_SHUTDOWN_GRACE_MS: '0', ...environment };
}

/** Watches any child like a `risk` process. */
export function watch(child: ChildProcess): RiskProcess {
  const { pid } = child;
  if (pid === undefined) throw new Error('the child did not start');
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const exited = new Promise<Exit>((resolve) => {
    // `close` comes after the last output, `exit` may come before.
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const hasExited = () => child.exitCode !== null || child.signalCode !== null;
  return {
    pid,
    stdout: () => stdout,
    stderr: () => stderr,
    exited,
    hasExited,
    kill: (signal) => {
      child.kill(signal);
    },
    waitFor: async (pattern, deadlineMs) => {
      const find = () => pattern.exec(stdout) ?? pattern.exec(stderr);
      await waitUntil(() => find() !== null || hasExited(), deadlineMs, String(pattern)).catch(
        (error: unknown) => {
          throw new Error(`${String(error)}\nstdout: ${stdout}\nstderr: ${stderr}`);
        },
      );
      if (hasExited()) await exited;
      const match = find();
      if (match === null) throw new Error(`exited without ${pattern}: ${stdout}\n${stderr}`);
      return match;
    },
    [Symbol.asyncDispose]: async () => {
      if (!hasExited()) child.kill('SIGKILL');
      await exited;
    },
  };
}

/** Runs a command that answers and exits to its end, as a process; `runRisk` is quicker. */
export async function runRiskProcess(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  await using risk = spawnRisk(args, environment);
  const { code } = await risk.exited;
  return { code, stdout: risk.stdout(), stderr: risk.stderr() };
}
