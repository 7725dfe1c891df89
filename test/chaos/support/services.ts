/**
 * Postgres and Redis of one scenario: real, durable, at addresses that stay the same however often they
 * are killed, stopped, frozen and started again. The suite's own sessions live through all of it.
 */
import { execFile } from 'node:child_process';
import { chownSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Cluster, Redis } from 'ioredis';
import { serviceAccount } from '../../../src/tools/start/services/account.ts';
import { freePort } from '../../../src/tools/start/services/free-port.ts';
import { findPostgres, startPostgres } from '../../../src/tools/start/services/postgres.ts';
import { findRedis, startRedis } from '../../../src/tools/start/services/redis.ts';
import type { ServiceProcess } from '../../../src/tools/start/services/service-process.ts';
import { mountDisk } from './disk.ts';
import { NotRun } from './not-run.ts';
import {
  openRedisClient,
  openSessions,
  patientQuery,
  type Query,
  type ServiceUrls,
} from './sessions.ts';

export type ServiceName = 'postgres' | 'redis';

export type ServiceControl = {
  /** The service's own address, without a proxy. */
  readonly url: string;
  pid(): number;
  /** Sends a signal and waits until the process has ended. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again at the same address, with its data. */
  start(): Promise<void>;
  /** Like `start`, but without its data. */
  startEmpty(): Promise<void>;
  /** SIGSTOP: it answers nothing and closes nothing. */
  freeze(): void;
  thaw(): void;
};

/** Starts one Redis in a folder of its own, which ends with the services. */
export type StartNode = (
  name: string,
  settings: Readonly<Record<string, string>>,
) => Promise<ServiceControl>;

export type OpenRedis = (startNode: StartNode) => Promise<{
  readonly nodes: readonly ServiceControl[];
  /** URL of the suite's own connections. */
  readonly redisUrl: string;
}>;

export type Replica = AsyncDisposable & { readonly url: string; readonly client: Redis };

export type ChaosServices = ServiceUrls & {
  readonly postgres: ServiceControl;
  /** The first node of a cluster. */
  readonly redis: ServiceControl;
  readonly redisNodes: readonly ServiceControl[];
  /** The pooler between the engine and Postgres. */
  readonly pooler?: ServiceControl;
  /** A streaming replica of Postgres. */
  readonly replica?: ServiceControl;
  /** Further settings of the engine's processes and commands. */
  readonly engineEnvironment?: Readonly<Record<string, string>>;
  /** URLs that the engine gets; the suite's own URLs go straight to the services. */
  readonly engineUrls: ServiceUrls;
  /** bin/risk of the first processes, where the engine under test comes later. */
  readonly firstLauncher?: string;
  /** Repeats a query until it is answered, as Postgres may be away for a while. */
  readonly query: Query;
  readonly client: Redis | Cluster;
  /** Another Redis, with no data yet. */
  readonly startReplica: () => Promise<Replica>;
  /** Where each keeps its data. */
  readonly disks: Readonly<Record<ServiceName, string>>;
  [Symbol.asyncDispose](): Promise<void>;
};

type MaybePromise<T> = T | Promise<T>;
/** Holds resources that end with the services. */
export type Opened = Pick<AsyncDisposableStack, 'use'>;

export type ServicesOptions = {
  readonly folder: string;
  /** bin/risk of the engine whose schema is applied. */
  readonly launcher: string;
  readonly postgresSettings: Readonly<Record<string, string>>;
  /** Starts another Redis than one node with the settings of the embedded one. */
  readonly openRedis?: OpenRedis;
  /** URLs that the engine gets of the started services; by default the suite's own. */
  readonly engineUrlsOf?: (urls: ServiceUrls, opened: Opened) => MaybePromise<ServiceUrls>;
  /** Further settings of the engine's commands that run before its processes. */
  readonly engineEnvironment?: Readonly<Record<string, string>>;
  /** Folder of another Postgres' programs. */
  readonly postgresBin?: string;
  /** Starts Postgres in another way. */
  readonly openPostgres?: () => Promise<ServiceControl & AsyncDisposable>;
  /** Services that get a disk of their own, of so many bytes. */
  readonly diskBytes: Partial<Readonly<Record<ServiceName, number>>>;
  readonly signal: AbortSignal;
};

/** A service restarted after kill -9 finds what the dead one left: its port, its memory. */
const START_TRIES = 20;
const START_RETRY_MS = 250;
const PASSWORD = 'chaos';

export async function startServices(options: ServicesOptions): Promise<ChaosServices> {
  const { folder, signal, launcher } = options;
  await using opened = new AsyncDisposableStack();
  const account = serviceAccount();
  const disk = (name: string) => {
    const path = join(folder, name);
    mkdirSync(path);
    const bytes = options.diskBytes[name as ServiceName];
    if (bytes !== undefined) opened.use(mountDisk(path, bytes));
    chownSync(path, account.uid, account.gid);
    return path;
  };
  const disks = { postgres: disk('postgres'), redis: join(folder, 'redis') };
  const common = { account, password: PASSWORD, signal };
  const program = await findPostgres(account, options.postgresBin);
  const source = await findRedis({
    ...{ account, signal, environment: process.env, onProgress: () => undefined },
  });
  if (source.kind === 'wasm') throw new NotRun('this Redis keeps nothing on disk');
  const postgresPort = await freePort();
  const { postgresSettings: settings, openRedis = openOneNode } = options;
  const logFile = (name: string) => join(folder, 'logs', `${name}.log`);
  const openEmbedded = () =>
    control(join(disks.postgres, 'postgres'), () =>
      startPostgres({
        ...{ ...common, program, settings, port: postgresPort },
        ...{ services: disks.postgres, logFile: logFile('postgres') },
      }),
    );
  const postgres = opened.use(await (options.openPostgres ?? openEmbedded)());
  const launchNode = async (name: string, own: Readonly<Record<string, string>>) => {
    const [path, port] = [disk(name), await freePort()];
    return await control(join(path, 'redis'), () =>
      startRedis({
        ...{ ...common, source, port, services: path, logFile: logFile(name) },
        ...{ passwordFile: '', settings: { 'repl-diskless-sync-delay': '0', ...own } },
      }),
    );
  };
  const startNode: StartNode = async (name, own) => opened.use(await launchNode(name, own));
  const { nodes, redisUrl } = await openRedis(startNode);
  const [redis] = nodes;
  if (redis === undefined) throw new Error('a node was expected');
  const urls = { databaseUrl: postgres.url, redisUrl };
  const engineUrls = (await options.engineUrlsOf?.(urls, opened)) ?? urls;
  await promisify(execFile)('/bin/sh', [launcher, 'migrate'], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: engineUrls.databaseUrl,
      REDIS_URL: engineUrls.redisUrl,
      ...options.engineEnvironment,
    },
    signal,
  });
  const { pool, client } = opened.use(openSessions(urls));
  const startReplica = async (): Promise<Replica> => {
    const replica = await launchNode('replica', {});
    const own = openRedisClient(replica.url);
    return {
      ...{ url: replica.url, client: own },
      async [Symbol.asyncDispose]() {
        own.disconnect();
        await replica[Symbol.asyncDispose]();
      },
    };
  };
  const owned = opened.move();
  return {
    ...{
      postgres,
      redis,
      redisNodes: nodes,
      client,
      startReplica,
      disks,
      query: patientQuery(() => pool, signal),
    },
    ...{ ...urls, engineUrls },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const openOneNode: OpenRedis = async (startNode) => {
  const redis = await startNode('redis', {});
  return { nodes: [redis], redisUrl: redis.url };
};

export type Started = { readonly url: string; readonly service: ServiceProcess };

export async function control(
  dataFolder: string,
  launch: () => Promise<Started>,
): Promise<ServiceControl & AsyncDisposable> {
  let running = await launch();
  const send = (name: NodeJS.Signals) => {
    if (!running.service.hasEnded()) process.kill(running.service.pid, name);
  };
  const start = async () => {
    for (let tries = 1; running.service.hasEnded(); tries++) {
      try {
        running = await launch();
      } catch (error) {
        if (tries === START_TRIES) throw error;
        await delay(START_RETRY_MS);
      }
    }
  };
  return {
    url: running.url,
    pid: () => running.service.pid,
    end: async (name) => {
      send(name);
      await running.service.ended;
    },
    start,
    startEmpty: async () => {
      rmSync(dataFolder, { recursive: true, force: true });
      await start();
    },
    freeze: () => send('SIGSTOP'),
    thaw: () => send('SIGCONT'),
    [Symbol.asyncDispose]: async () => {
      send('SIGCONT');
      await running.service.stop();
    },
  };
}
