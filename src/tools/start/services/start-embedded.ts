/**
 * Starts the services that have no configured URL, and keeps them running: a real Postgres and a real Redis on loopback ports
 * of their own, with their data in one folder that survives restarts. A service that is started again keeps its port.
 */
import { join } from 'node:path';
import { type Environment, readEnvironment } from '../../../kit/config/config.ts';
import { openDataFolder } from './data-folder.ts';
import { removeEngineFile, writeEngineFile } from './engine-file.ts';
import { findPostgres, startPostgres } from './postgres.ts';
import { findRedis, startRedis } from './redis.ts';
import type { RunningService } from './service-process.ts';
import { type Supervision, supervise } from './supervise.ts';

type EmbeddedOptions = Partial<Supervision> & {
  readonly dataDir: string;
  /** Aborts the start; a running engine is stopped by disposing it. */
  readonly signal: AbortSignal;
  /** A service with a URL here is passed through and not started. */
  readonly databaseUrl?: string | undefined;
  readonly redisUrl?: string | undefined;
  /** Settings of Postgres in place of the engine's own: for benches. */
  readonly postgresSettings?: Readonly<Record<string, string>> | undefined;
  readonly environment?: Environment;
};

export type Embedded = AsyncDisposable & {
  readonly databaseUrl: string;
  readonly redisUrl: string;
};

export async function startEmbedded(options: EmbeddedOptions): Promise<Embedded> {
  const { signal, environment = readEnvironment() } = options;
  const { say = () => undefined, giveUp = () => undefined } = options;
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(await openDataFolder(options.dataDir));
  writeEngineFile(folder.path, {});
  opened.defer(() => removeEngineFile(folder.path));
  const own = async (
    name: string,
    start: (again: { signal: AbortSignal; port?: number }) => Promise<RunningService>,
  ) => {
    const { url, port, service } = await start({ signal });
    const startAgain = async (signal: AbortSignal) => (await start({ signal, port })).service;
    opened.use(supervise(name, service, startAgain, { say, giveUp }));
    return url;
  };
  const startDatabase = async () => {
    const program = await findPostgres(folder.account);
    const settings = options.postgresSettings ?? {};
    const fixed = { ...folder, program, logFile: join(folder.logs, 'postgres.log'), settings };
    return await own('Postgres', (again) => startPostgres({ ...fixed, ...again }));
  };
  const startStreams = async () => {
    const source = await findRedis({ account: folder.account, environment, signal });
    const fixed = { ...folder, source, logFile: join(folder.logs, 'redis.log') };
    return await own('Redis', (again) => startRedis({ ...fixed, ...again }));
  };
  // Postgres and Redis start at once: each waits for its own disk and process, not for the other.
  const [database, redis] = await Promise.allSettled([
    options.databaseUrl ?? startDatabase(),
    options.redisUrl ?? startStreams(),
  ]);
  if (database.status === 'rejected') throw database.reason;
  if (redis.status === 'rejected') throw redis.reason;
  const urls = { databaseUrl: database.value, redisUrl: redis.value };
  writeEngineFile(folder.path, urls);
  const owned = opened.move();
  return { ...urls, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}
