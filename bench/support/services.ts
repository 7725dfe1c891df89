/**
 * Postgres and Redis of one run: the engine's own embedded ones in a fresh folder, refused unless
 * they are real and durable, with the schema applied by the very `migrate` command.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { Log } from '../../src/kit/metrics/log.ts';
import { Failure } from '../../src/kit/words/failure.ts';
import { startEmbedded } from '../../src/tools/start/services/start-embedded.ts';
import { marketUrl } from './market.ts';
import { parentOf } from './process-usage.ts';

export const LAUNCHER = fileURLToPath(new URL('../../bin/risk', import.meta.url));

export type ServicesOptions = {
  /** Empty or missing: the data of this run alone. */
  readonly dataDir: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  /** `bin/risk` of another checkout, whose tables are made; this one's by default. */
  readonly launcher?: string | undefined;
  /** Settings of Postgres in place of those that a user gets. */
  readonly postgresSettings?: Readonly<Record<string, string>> | undefined;
};

/** The services as a checker needs them: a session in Postgres and one in Redis. */
export type Stores = {
  readonly databaseUrl: string;
  readonly database: pg.Client;
  readonly redis: Redis;
};

export type Services = Stores & {
  readonly redisUrl: string;
  readonly postgresPid: number;
  readonly redisPid: number;
  readonly versions: Readonly<Record<string, string>>;
  /** Settings that decide what "stored" means, as the servers themselves report them. */
  readonly settings: Readonly<Record<string, string>>;
  [Symbol.asyncDispose](): Promise<void>;
};

const POSTGRES_MUST_BE = { fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' } as const;
const POSTGRES_TOLD = [
  'shared_buffers',
  'max_wal_size',
  'checkpoint_timeout',
  'wal_compression',
] as const;
const REDIS_MUST_BE = { appendonly: 'yes', appendfsync: 'everysec' } as const;
const REDIS_TOLD = ['maxmemory', 'maxmemory-policy'] as const;

export async function startServices(options: ServicesOptions): Promise<Services> {
  await using opened = new AsyncDisposableStack();
  const embedded = opened.use(await startEmbedded(options));
  const { databaseUrl, redisUrl } = embedded;
  await migrate(databaseUrl, redisUrl, options);
  const database = new pg.Client({
    connectionString: marketUrl(databaseUrl),
    application_name: 'risk-bench',
  });
  await database.connect();
  opened.defer(() => database.end());
  const redis = new Redis(redisUrl, { protocol: 2 });
  opened.defer(() => redis.disconnect());
  const told = await readSettings(database, redis);
  const info = await redis.info('server');
  const backend = await database.query<{ pid: number; version: string }>(
    `select pg_backend_pid() as pid, current_setting('server_version') as version`,
  );
  const owned = opened.move();
  return {
    ...{ databaseUrl, redisUrl, database, redis, settings: told },
    postgresPid: parentOf(backend.rows[0]?.pid ?? 0) ?? 0,
    redisPid: Number(/process_id:(\d+)/.exec(info)?.[1] ?? 0),
    versions: {
      postgres: backend.rows[0]?.version ?? '',
      redis: /redis_version:(\S+)/.exec(info)?.[1] ?? '',
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function migrate(
  databaseUrl: string,
  redisUrl: string,
  { launcher = LAUNCHER, signal }: ServicesOptions,
): Promise<void> {
  const environment = {
    PATH: process.env['PATH'],
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
  };
  await promisify(execFile)('/bin/sh', [launcher, 'migrate'], { env: environment, signal });
}

/** Reads the settings that matter; throws a Failure when one of them would make the figures worthless. */
async function readSettings(database: pg.Client, redis: Redis): Promise<Record<string, string>> {
  const told: Record<string, string> = {};
  const { rows } = await database.query<{ name: string; value: string }>(
    `select name, current_setting(name) as value from pg_settings where name = any ($1)`,
    [[...Object.keys(POSTGRES_MUST_BE), ...POSTGRES_TOLD]],
  );
  for (const { name, value } of rows) told[name] = value;
  for (const name of [...Object.keys(REDIS_MUST_BE), ...REDIS_TOLD]) {
    const [, value] = (await redis.config('GET', name)) as [string, string];
    told[name] = value;
  }
  for (const [name, value] of Object.entries({ ...POSTGRES_MUST_BE, ...REDIS_MUST_BE })) {
    if (told[name] === value) continue;
    throw new Failure('invalid', 'NOT_DURABLE', `${name} is ${told[name]}, not ${value}`);
  }
  // The in-memory stand-in accepts the settings but writes nothing.
  if (!(await redis.info('persistence')).includes('aof_enabled:1')) {
    throw new Failure('invalid', 'NOT_DURABLE', 'this Redis keeps nothing on disk');
  }
  return told;
}
