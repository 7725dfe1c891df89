/**
 * Services that a test may stop, pause, kill and start again at the same address: a Redis for a test file, and
 * a durable Postgres of its own where the shared one is not enough.
 */
import { chownSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { serviceAccount } from '../../src/tools/start/services/account.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { findPostgres, startPostgres } from '../../src/tools/start/services/postgres.ts';
import { startRedis } from '../../src/tools/start/services/redis.ts';
import type { ServiceProcess } from '../../src/tools/start/services/service-process.ts';
import { copyCluster, makeServiceFolder, PASSWORD, VOLATILE_POSTGRES } from './service-folder.ts';
import { backUpForStandby } from './standby.ts';

export type TestService = {
  /** Stays the same over restarts. */
  readonly url: string;
  pid(): number;
  /** Shuts down in good order; no effect when it is down. */
  stop(): Promise<void>;
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>;
  /** Starts again after stop or kill, on the same port with the same data. */
  start(): Promise<void>;
  /** Like `start`, but without its data. */
  startEmpty(): Promise<void>;
  /** Stops it from answering without closing anything. */
  pause(): void;
  resume(): void;
  /** The last lines that it wrote. */
  logTail(): string;
  [Symbol.asyncDispose](): Promise<void>;
};

export type TestServiceOptions = {
  /** True: as in production, so data survives kill. False (default): no fsync, no append-only file. */
  readonly durable?: boolean;
  readonly settings?: Readonly<Record<string, string>>;
};

/** Keeps nothing on disk. */
const VOLATILE_REDIS = { appendonly: 'no' };

/** Ports that a launch tries: another process may take one between its choice and its use. */
const PORT_TRIES_MAX = 3;

type Started = { readonly url: string; readonly service: ServiceProcess };

export async function startTestRedis(options: TestServiceOptions = {}): Promise<TestService> {
  const folder = makeServiceFolder();
  const common = { ...folder, source: inject('redisSource'), ...defaults(options, VOLATILE_REDIS) };
  return await control(
    onFreePort((port) => startRedis({ ...common, port })),
    () => rmSync(join(folder.services, 'redis'), { recursive: true, force: true }),
    folder,
    'SIGKILL',
  );
}

export async function startTestPostgres(options: TestServiceOptions = {}): Promise<TestService> {
  const folder = makeServiceFolder();
  const program = await findPostgres(folder.account, inject('postgresBin') || undefined);
  copyCluster(inject('postgresCluster'), folder.services);
  const common = { ...folder, program, ...defaults(options, VOLATILE_POSTGRES) };
  return await control(
    onFreePort((port) => startPostgres({ ...common, port })),
    () => rmSync(join(folder.services, 'postgres'), { recursive: true, force: true }),
    folder,
    'SIGQUIT',
  );
}

/**
 * Leaves the data folder of an engine as an earlier start leaves it, with the cluster of the tests: making a cluster takes a second
 * of processor time. An engine runs the embedded Postgres, so that a cluster of another one is left out.
 */
export function prepareDataFolder(dataDir: string): void {
  if (inject('postgresBin') !== '') return;
  const account = serviceAccount();
  const services = join(dataDir, 'services');
  mkdirSync(services, { recursive: true });
  chownSync(services, account.uid, account.gid);
  copyCluster(inject('postgresCluster'), services);
  writeFileSync(join(dataDir, 'password'), `${PASSWORD}\n`, { mode: 0o600 });
}

/** A streaming replica of a Postgres that runs with PRIMARY_SETTINGS. */
export async function startTestStandby(primaryUrl: string): Promise<TestService> {
  const folder = makeServiceFolder();
  const program = await findPostgres(folder.account, inject('postgresBin') || undefined);
  await backUpForStandby(primaryUrl, folder.services, folder.account);
  const launch = onFreePort((port) =>
    startPostgres({ ...folder, program, ...defaults({}, VOLATILE_POSTGRES), port }),
  );
  return await control(launch, () => undefined, folder, 'SIGQUIT');
}

/** The first launch chooses the port, and another one where somebody took it meanwhile; later launches keep it. */
function onFreePort(launch: (port: number) => Promise<Started>): () => Promise<Started> {
  let kept: number | undefined;
  return async () => {
    if (kept !== undefined) return await launch(kept);
    for (let tries = 1; ; tries++) {
      const port = await freePort();
      try {
        const started = await launch(port);
        kept = port;
        return started;
      } catch (error) {
        if (tries === PORT_TRIES_MAX || !String(error).includes('already in use')) throw error;
      }
    }
  };
}

type Settings = Readonly<Record<string, string>>;

function defaults({ durable = false, settings }: TestServiceOptions, volatile: Settings) {
  const own = { ...(durable ? {} : volatile), ...settings };
  return { settings: own, signal: new AbortController().signal };
}

/** @param lastSignal ends it with the test, at once: nobody needs its data any more */
async function control(
  launch: () => Promise<Started>,
  forget: () => void,
  folder: Disposable,
  lastSignal: NodeJS.Signals,
): Promise<TestService> {
  let running = await launch();
  const signal = (name: NodeJS.Signals) => {
    if (!running.service.hasEnded()) process.kill(running.service.pid, name);
  };
  const start = async () => {
    if (running.service.hasEnded()) running = await launch();
  };
  const end = async () => {
    signal(lastSignal);
    signal('SIGCONT');
    await running.service.ended;
  };
  const stop = async () => {
    signal('SIGCONT');
    await running.service.stop();
  };
  return {
    url: running.url,
    pid: () => running.service.pid,
    stop,
    kill: async () => {
      signal('SIGKILL');
      await running.service.ended;
    },
    start,
    startEmpty: async () => {
      forget();
      await start();
    },
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    logTail: () => running.service.logTail(),
    [Symbol.asyncDispose]: async () => {
      await end();
      folder[Symbol.dispose]();
    },
  };
}
