/**
 * Postgres and Redis of one scenario: real, durable, at addresses that stay the same however often they
 * are killed, stopped, frozen and started again. The suite's own sessions live through all of it.
 */
import { execFile } from 'node:child_process';
import { chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Cluster, Redis } from 'ioredis';
import { serviceAccount } from '../../../src/tools/start/services/account.ts';
import { findPostgres, startPostgres } from '../../../src/tools/start/services/postgres.ts';
import { findRedis, startRedis } from '../../../src/tools/start/services/redis.ts';
import { control, type ServiceControl } from '../../support/service-control.ts';
import { mountDisk } from './disk.ts';
import type { Engine } from './engine.ts';
import {
  openRedisClient,
  openSessions,
  patientQuery,
  type Query,
  type ServiceUrls,
} from './sessions.ts';

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
  /** The engine, where the services bring their own. */
  readonly engine?: Engine;
  /** bin/risk of the first processes, where the engine under test comes later. */
  readonly firstLauncher?: string;
  /** Repeats a query until it is answered, as Postgres may be away for a while. */
  readonly query: Query;
  readonly client: Redis | Cluster;
  /** Another Redis, with no data yet. */
  readonly startReplica: () => Promise<Replica>;
  /** Where Postgres keeps its data. */
  readonly disk: string;
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
  /** Bytes of a disk that Postgres gets for its own. */
  readonly postgresDiskBytes?: number | undefined;
  /** How long Postgres may be away before a query of the suite fails. */
  readonly outageMsMax?: number;
  readonly signal: AbortSignal;
};

const PASSWORD = 'chaos';

export async function startServices(options: ServicesOptions): Promise<ChaosServices> {
  const { folder, signal, launcher } = options;
  await using opened = new AsyncDisposableStack();
  const account = serviceAccount();
  const makeFolder = (name: string, diskBytes?: number) => {
    const path = join(folder, name);
    mkdirSync(path);
    if (diskBytes !== undefined) opened.use(mountDisk(path, diskBytes));
    chownSync(path, account.uid, account.gid);
    return path;
  };
  const disk = makeFolder('postgres', options.postgresDiskBytes);
  const common = { account, password: PASSWORD, signal };
  const program = await findPostgres(account, options.postgresBin);
  const source = await findRedis({ account, signal, environment: process.env });
  const { postgresSettings: settings, openRedis = openOneNode } = options;
  const logFile = (name: string) => join(folder, 'logs', `${name}.log`);
  const embedded = { ...common, program, settings, services: disk, logFile: logFile('postgres') };
  const openEmbedded = () =>
    control(join(disk, 'postgres'), (at) => startPostgres({ ...embedded, ...at }), 'SIGQUIT');
  const postgres = opened.use(await (options.openPostgres ?? openEmbedded)());
  const launchNode = async (name: string, own: Readonly<Record<string, string>>) => {
    const path = makeFolder(name);
    return await control(join(path, 'redis'), (at) =>
      startRedis({
        ...{ ...common, source, ...at, services: path, logFile: logFile(name) },
        settings: { 'repl-diskless-sync-delay': '0', ...own },
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
    ...{ postgres, redis, redisNodes: nodes, client, startReplica, disk, ...urls, engineUrls },
    query: patientQuery(() => pool, signal, options.outageMsMax),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const openOneNode: OpenRedis = async (startNode) => {
  const redis = await startNode('redis', {});
  return { nodes: [redis], redisUrl: redis.url };
};
