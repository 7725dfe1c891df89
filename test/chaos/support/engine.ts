/**
 * The engine under test: processes by name, each at an address of its own that it keeps over restarts. All
 * processes that still run at the end are drained and must end in good order.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import {
  type Role,
  type RoleProcess,
  spawnRole,
  untilReady,
} from '../../../bench/support/role-process.ts';
import { freePort } from '../../../src/tools/start/services/free-port.ts';
import { askApi } from './ask.ts';

export type StartOptions = {
  /** `NAME:N[:SIGNAL]`: the process sends itself the signal (SIGKILL) on its Nth pass of NAME. */
  readonly failpoint?: string | undefined;
  readonly environment?: Readonly<Record<string, string>>;
  /** bin/risk of another release. */
  readonly launcher?: string;
  /** Program and arguments that become the process, in a control group. */
  readonly within?: readonly string[];
  /** False: does not wait until it is ready. */
  readonly wait?: boolean;
};

export type Drain = { readonly name: string; readonly how: string; readonly ms: number };

export type Engine = Awaited<ReturnType<typeof startEngine>>;

export type EngineOptions = {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly launcher: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly apis: number;
  readonly workers: number;
  readonly logFolder: string;
  readonly signal: AbortSignal;
};

/** The key protects nothing: this engine listens on the loopback for minutes. */
export const API_KEY = 'chaos-key-of-a-database-that-is-thrown-away';

export async function startEngine(options: EngineOptions) {
  const { logFolder, launcher, signal } = options;
  await using opened = new AsyncDisposableStack();
  const ports = new Map<string, number>();
  const processes = new Map<string, RoleProcess>();
  const drains: Drain[] = [];
  let ended = 0;
  opened.defer(() => {
    for (const each of processes.values()) if (!each.hasEnded()) each.kill();
  });
  const portOf = async (name: string) => {
    const port = ports.get(name) ?? (await freePort());
    ports.set(name, port);
    return port;
  };
  /** The process of this name that was started last. */
  const process = (name: string) => {
    const found = processes.get(name);
    if (found === undefined) throw new Error(`${name} was never started`);
    return found;
  };
  const common = {
    DATABASE_URL: options.databaseUrl,
    REDIS_URL: options.redisUrl,
    RISK_BOOTSTRAP_KEY: API_KEY,
    ...options.environment,
  };
  /** Starts a process of this name; there must be none running. */
  const start = async (role: Role, name: string, started: StartOptions = {}) => {
    const { failpoint, within, wait = true } = started;
    if (processes.get(name)?.hasEnded() === false) throw new Error(`${name} is still running`);
    if (processes.has(name)) ended++;
    const environment = {
      ...common,
      ...started.environment,
      ...(failpoint === undefined ? {} : { RISK_TEST_FAILPOINT: failpoint }),
    };
    const port = await portOf(name);
    const fresh = spawnRole({
      ...{ role, name, port, environment, logFolder, within },
      launcher: started.launcher ?? launcher,
    });
    processes.set(name, fresh);
    return wait ? await untilReady(fresh, signal) : fresh;
  };
  const running = (role?: Role) =>
    [...processes.values()].filter(
      (each) => !each.hasEnded() && (role === undefined || each.role === role),
    );
  const apis = Array.from({ length: options.apis }, (_, n) => `api-${n + 1}`);
  const workers = Array.from({ length: options.workers }, (_, n) => `worker-${n + 1}`);
  for (const name of apis) await start('api', name);
  await Promise.all(workers.map((name) => start('worker', name)));
  const owned = opened.move();
  return {
    ...{ start, process, running, drains, apiKey: API_KEY },
    /** Asks the first API; throws where the API refuses. */
    ask: <T>(method: 'GET' | 'POST' | 'PUT', path: string, body?: object) => {
      const asked = { url: process('api-1').url, apiKey: API_KEY, signal };
      return askApi<T>(asked, method, path, body);
    },
    /** Runs a command of the engine through the program `within`, with the environment of the processes. */
    command: async (
      args: readonly string[],
      own: Readonly<Record<string, string>>,
      within: readonly string[] = ['env'],
    ) => {
      const env = { PATH: globalThis.process.env['PATH'], ...common, ...own };
      const [program = '', ...words] = [...within, '/bin/sh', launcher, ...args];
      await promisify(execFile)(program, words, { env, signal });
    },
    apiUrls: apis.map((name) => process(name).url),
    /** Sends SIGTERM; resolves to how the process ended. */
    drain: async (name: string) => {
      const started = performance.now();
      const found = process(name);
      const how = await found.stop().then(
        () => 'exit code 0',
        (error: Error) => error.message,
      );
      const drain = { name, how, ms: Math.round(performance.now() - started) };
      drains.push(drain);
      return drain;
    },
    kill: async (name: string) => {
      const found = process(name);
      found.kill();
      await found.ended;
    },
    /** True while every process that was ever started still runs: their counters are complete. */
    isComplete: () => ended === 0 && running().length === processes.size,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
