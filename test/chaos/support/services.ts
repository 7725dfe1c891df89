/**
 * Postgres and Redis of one scenario: real, durable, at addresses that stay the same however often they
 * are killed, stopped, frozen and started again. The suite's own sessions live through all of it.
 */
import { execFile } from 'node:child_process';
import { chownSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import pg from 'pg';
import { serviceAccount } from '../../../src/embedded/account.ts';
import { freePort } from '../../../src/embedded/free-port.ts';
import { startPostgres } from '../../../src/embedded/postgres.ts';
import { findPostgres } from '../../../src/embedded/postgres-program.ts';
import { startRedis } from '../../../src/embedded/redis.ts';
import { findRedis } from '../../../src/embedded/redis-program.ts';
import type { ServiceProcess } from '../../../src/embedded/service-process.ts';
import { mountDisk } from './disk.ts';
import { NotRun } from './not-run.ts';

export type ServiceName = 'postgres' | 'redis';

export type ServiceControl = {
  /** Where it listens itself, without a proxy. */
  readonly url: string;
  pid(): number;
  /** Sends a signal and waits until the process has ended. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again at the same address, with its data. */
  start(): Promise<void>;
  /** As `start`, with its data gone. */
  startEmpty(): Promise<void>;
  /** SIGSTOP: it answers nothing and closes nothing. */
  freeze(): void;
  thaw(): void;
};

export type Replica = AsyncDisposable & { readonly url: string; readonly client: Redis };

export type Query = <R extends pg.QueryResultRow>(
  sql: string,
  values?: readonly unknown[],
) => Promise<R[]>;

export type ServiceUrls = { readonly databaseUrl: string; readonly redisUrl: string };

export type ChaosServices = ServiceUrls & {
  readonly postgres: ServiceControl;
  readonly redis: ServiceControl;
  /** What the engine is given; the suite's own URLs go straight to the services. */
  readonly engineUrls: ServiceUrls;
  /** Asks until it is answered: Postgres may be away for a while. */
  readonly query: Query;
  readonly client: Redis;
  /** Another Redis, with no data yet. */
  readonly startReplica: () => Promise<Replica>;
  /** Where each keeps its data. */
  readonly disks: Readonly<Record<ServiceName, string>>;
  [Symbol.asyncDispose](): Promise<void>;
};

export type ServicesOptions = {
  readonly folder: string;
  /** bin/risk of the engine whose schema is applied. */
  readonly launcher: string;
  readonly postgresSettings: Readonly<Record<string, string>>;
  readonly redisSettings?: Readonly<Record<string, string>>;
  /** The engine's way to the services that have just been started; the suite's own by default. */
  readonly engineUrlsOf?: (urls: ServiceUrls) => ServiceUrls;
  /** Services that get a disk of their own, of so many bytes. */
  readonly diskBytes: Partial<Readonly<Record<ServiceName, number>>>;
  readonly signal: AbortSignal;
};

/** Whoever started a service anew after kill -9 meets what the dead one left: its port, its memory. */
const START_TRIES = 20;
const START_RETRY_MS = 250;
const PASSWORD = 'chaos';
const QUERY_PATIENCE_MS = 60_000;
const QUERY_RETRY_MS = 100;

export async function startServices(options: ServicesOptions): Promise<ChaosServices> {
  const { folder, signal, launcher } = options;
  await using opened = new AsyncDisposableStack();
  const account = serviceAccount();
  const disk = (name: ServiceName | 'replica') => {
    const path = join(folder, name);
    mkdirSync(path);
    const bytes = name === 'replica' ? undefined : options.diskBytes[name];
    if (bytes !== undefined) opened.use(mountDisk(path, bytes));
    if (account.dropped) chownSync(path, account.uid, account.gid);
    return path;
  };
  const disks = { postgres: disk('postgres'), redis: disk('redis') };
  const common = { account, password: PASSWORD, durable: true, signal };
  const program = await findPostgres(account);
  const source = await findRedis({
    ...{ account, signal, environment: process.env, onProgress: () => undefined },
  });
  if (source.kind === 'wasm') throw new NotRun('this Redis keeps nothing on disk');
  const [postgresPort, redisPort] = [await freePort(), await freePort()];
  const { postgresSettings: settings, redisSettings = {} } = options;
  const logFile = (name: string) => join(folder, 'logs', `${name}.log`);
  const postgres = opened.use(
    await control(join(disks.postgres, 'postgres'), () =>
      startPostgres({
        ...{ ...common, program, settings, port: postgresPort },
        ...{ services: disks.postgres, logFile: logFile('postgres') },
      }),
    ),
  );
  const redisAt = (name: 'redis' | 'replica', path: string, port: number) =>
    control(join(path, 'redis'), () =>
      startRedis({
        ...{ ...common, source, port, services: path, logFile: logFile(name) },
        ...{ passwordFile: '', settings: { 'repl-diskless-sync-delay': '0', ...redisSettings } },
      }),
    );
  const redis = opened.use(await redisAt('redis', disks.redis, redisPort));
  const urls = { databaseUrl: postgres.url, redisUrl: redis.url };
  const engineUrls = options.engineUrlsOf?.(urls) ?? urls;
  const { databaseUrl, redisUrl } = engineUrls;
  await promisify(execFile)('/bin/sh', [launcher, 'migrate'], {
    env: { PATH: process.env['PATH'], DATABASE_URL: databaseUrl, REDIS_URL: redisUrl },
    signal,
  });
  // Idle sessions are kept: a scenario that takes all slots must leave the suite its own.
  const pool = new pg.Pool({
    ...{ connectionString: postgres.url, max: 2, idleTimeoutMillis: 0 },
    application_name: 'chaos',
  });
  pool.on('error', () => undefined);
  opened.defer(() => pool.end());
  const client = openClient(redis.url);
  opened.defer(() => client.disconnect());
  const startReplica = async (): Promise<Replica> => {
    const replica = await redisAt('replica', disk('replica'), await freePort());
    const own = openClient(replica.url);
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
    ...{ postgres, redis, client, startReplica, disks, query: patientQuery(pool, signal) },
    ...{ ...urls, engineUrls },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function openClient(url: string): Redis {
  const client = new Redis(url, { protocol: 2, maxRetriesPerRequest: null });
  client.on('error', () => undefined);
  return client;
}

type Started = { readonly url: string; readonly service: ServiceProcess };

async function control(
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

function patientQuery(pool: pg.Pool, signal: AbortSignal): Query {
  return async (sql, values) => {
    const deadline = performance.now() + QUERY_PATIENCE_MS;
    for (;;) {
      try {
        return (await pool.query(sql, values === undefined ? [] : [...values])).rows;
      } catch (error) {
        if (isOurMistake(error) || performance.now() > deadline) throw error;
        await delay(QUERY_RETRY_MS, undefined, { signal });
      }
    }
  };
}

/** SQLSTATE classes 22 (data), 23 (constraints) and 42 (syntax, names). */
function isOurMistake(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(22|23|42)/.test(error.code ?? '');
}
