/**
 * Starts the services that have no configured URL: a real Postgres and a real Redis on loopback ports of their
 * own, with their data in one folder that survives restarts.
 */
import { join } from 'node:path';
import { type Environment, readEnvironment } from '../../../kit/config/config.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import { type DataFolder, openDataFolder } from './data-folder.ts';
import { removeEngineFile, writeEngineFile } from './engine-file.ts';
import { startPostgres } from './postgres.ts';
import { findPostgres } from './postgres-program.ts';
import { startRedis } from './redis.ts';
import { findRedis } from './redis-program.ts';
import type { ServiceProcess } from './service-process.ts';

type EmbeddedOptions = {
  readonly dataDir: string;
  readonly log: Log;
  /** Aborts the start; a running engine is stopped by disposing it. */
  readonly signal: AbortSignal;
  /** Short texts for a person who waits, as `starting Postgres`. */
  readonly onProgress: (text: string) => void;
  /** A service with a URL here is passed through and not started. */
  readonly databaseUrl?: string | undefined;
  readonly redisUrl?: string | undefined;
  readonly environment?: Environment;
};

export type Embedded = {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  /** False for the WebAssembly build: Redis' contents end with the engine (and are rebuilt). */
  readonly redisKeepsData: boolean;
  /** Resolves to a sentence when a service ends that was not stopped; pending otherwise. */
  readonly serviceEnded: Promise<string>;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await openDataFolder(options.dataDir));
  writeEngineFile(folder.path, { pid: process.pid, databaseUrl: null, redisUrl: null });
  opened.defer(() => removeEngineFile(folder.path));

  const watch = watchServices();
  // Both at once: each waits for its own disk and process, not for the other.
  const [database, redis] = await Promise.allSettled([
    options.databaseUrl ?? startDatabase(options, folder, opened, watch),
    options.redisUrl ?? startStreams(options, folder, opened, watch),
  ]);
  if (database.status === 'rejected') throw database.reason;
  if (redis.status === 'rejected') throw redis.reason;
  const databaseUrl = database.value;
  const { url: redisUrl, keepsData } =
    typeof redis.value === 'string' ? { url: redis.value, keepsData: true } : redis.value;
  writeEngineFile(folder.path, { pid: process.pid, databaseUrl, redisUrl });

  const owned = opened.move();
  return {
    databaseUrl,
    redisUrl,
    redisKeepsData: keepsData,
    serviceEnded: watch.ended,
    [Symbol.asyncDispose]: () => {
      watch.stopping();
      return owned.disposeAsync();
    },
  };
}

async function startDatabase(
  options: EmbeddedOptions,
  folder: DataFolder,
  opened: AsyncDisposableStack,
  watch: Watch,
): Promise<string> {
  options.onProgress('starting Postgres');
  const program = await findPostgres(folder.account);
  const { account, services, password } = folder;
  const logFile = join(folder.logs, 'postgres.log');
  const { signal } = options;
  const running = await startPostgres({
    ...{ program, account, services, password, logFile, signal },
    durable: true,
  });
  opened.defer(() => running.service.stop());
  watch.add('Postgres', running.service);
  options.log.info({ port: running.port, servicePid: running.service.pid }, 'postgres started');
  return running.url;
}

async function startStreams(
  options: EmbeddedOptions,
  folder: DataFolder,
  opened: AsyncDisposableStack,
  watch: Watch,
): Promise<{ url: string; keepsData: boolean }> {
  const { account, services, password, passwordFile } = folder;
  const { signal, onProgress } = options;
  const environment = options.environment ?? readEnvironment();
  const source = await findRedis({ account, environment, onProgress, signal });
  const keepsData = source.kind === 'native';
  onProgress(keepsData ? 'starting Redis' : 'starting Valkey (in memory: keeps nothing on disk)');
  const logFile = join(folder.logs, 'redis.log');
  const running = await startRedis({
    ...{ source, account, services, password, passwordFile, logFile, signal },
    durable: true,
  });
  opened.defer(() => running.service.stop());
  watch.add('Redis', running.service);
  const { port, service } = running;
  options.log.info({ port, servicePid: service.pid, source: source.kind }, 'redis started');
  return { url: running.url, keepsData };
}

type Watch = {
  readonly ended: Promise<string>;
  add(name: string, service: ServiceProcess): void;
  stopping(): void;
};

function watchServices(): Watch {
  const { promise, resolve } = Promise.withResolvers<string>();
  let stopping = false;
  return {
    ended: promise,
    add: (name, service) => {
      void service.ended.then((how) => {
        if (!stopping) resolve(`${name} ended by itself: ${how}\n${service.logTail()}`);
      });
    },
    stopping: () => {
      stopping = true;
    },
  };
}
