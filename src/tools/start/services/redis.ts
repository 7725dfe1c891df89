/**
 * Runs the embedded Redis on a loopback port: append-only file, a hard memory bound, no eviction. The program is `redis-server`
 * or `valkey-server` on the PATH, else Debian's, unpacked to the shared folder.
 */
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openCommands, untilReady } from '../../../kit/redis/connection.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Account } from './account.ts';
import { type FetchOptions, unpackPackages } from './debian-packages.ts';
import { ask, findExecutable } from './executable.ts';
import { freePort } from './free-port.ts';
import {
  endLeftOver,
  type RunningService,
  type StoreOptions,
  startOnPort,
} from './service-process.ts';

export type RedisSource = {
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
};

/** The engine uses consumer group features of Redis 7.0; Valkey's numbers continue from 7.2. */
const MAJOR_MIN = 7;

/** @throws Failure where there is none, and where apt or the network is missing to fetch one */
export async function findRedis(
  search: FetchOptions & { readonly account: Account },
): Promise<RedisSource> {
  const tried = async (program: string, environment: RedisSource['environment'] = {}) => {
    const answer = await ask(program, ['--version'], { account: search.account, environment });
    const isNew = Number(/\bv=(\d+)\./.exec(answer.stdout)?.[1]) >= MAJOR_MIN;
    return answer.ok && isNew ? { program, environment } : undefined;
  };
  for (const name of ['redis-server', 'valkey-server']) {
    const program = findExecutable(name, search.environment['PATH']);
    const found = program && (await tried(program));
    if (found) return found;
  }
  try {
    const { folder, environment } = await unpackPackages(['redis-server', 'redis-tools'], search);
    const found = await tried(join(folder, 'usr/bin/redis-server'), environment);
    if (found) return found;
  } catch {
    search.signal.throwIfAborted();
  }
  const why = "there is no Redis 7 here, and apt fetched none of Debian's packages";
  const said = `${why}; install redis-server, or set REDIS_URL to a Redis of yours`;
  throw new Failure('unavailable', 'NOT_RUNNABLE_HERE', said);
}

type RedisOptions = StoreOptions & { readonly source: RedisSource };

/** Loading an append-only file of 512 MB takes seconds. */
const READY_TIMEOUT_MS = 60_000;
const ANSWER_TIMEOUT_MS = 1000;
export const REDIS_MEMORY_BYTES_MAX = 256 * 1024 * 1024;

const SETTINGS: Readonly<Record<string, string>> = {
  bind: '127.0.0.1',
  maxmemory: String(REDIS_MEMORY_BYTES_MAX),
  'maxmemory-policy': 'noeviction',
  save: '""',
  appendonly: 'yes',
  appendfsync: 'everysec',
  // Four rewrites of up to 45 MB of profiles took about 0.15 s of processor time each. At 530 bytes a transaction one
  // comes every 800,000. Compression would cost a tenth of what the server does under load, to save disk alone.
  'auto-aof-rewrite-min-size': '512mb',
  rdbcompression: 'no',
};

export async function startRedis(options: RedisOptions): Promise<RunningService> {
  const { source, account, password, logFile, signal } = options;
  const folder = join(options.services, 'redis');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chownSync(folder, account.uid, account.gid);
  await endLeftOver(folder, join(folder, 'redis.pid'));
  const urlOf = (port: number) => `redis://:${password}@127.0.0.1:${port}`;
  const specOf = (port: number) => {
    const args = [writeConfiguration(options, folder, port)];
    const isReady = () => answers(urlOf(port));
    const spec = { ...source, name: 'Redis', args, account, cwd: folder, logFile };
    return { ...spec, isReady, timeoutMs: READY_TIMEOUT_MS };
  };
  const choose = async () => options.port ?? (await freePort());
  const { port, service } = await startOnPort(choose, specOf, signal);
  return { url: urlOf(port), port, service };
}

/** A file, not arguments: every user of the machine may read a process's arguments. */
function writeConfiguration(options: RedisOptions, folder: string, port: number): string {
  const settings = {
    ...SETTINGS,
    port: String(port),
    dir: JSON.stringify(folder),
    pidfile: JSON.stringify(join(folder, 'redis.pid')),
    requirepass: options.password,
    ...options.settings,
  };
  const file = join(folder, 'redis.conf');
  const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  chownSync(file, options.account.uid, options.account.gid);
  return file;
}

/** The server accepts the password of this data folder, and has loaded its data. */
async function answers(url: string): Promise<boolean> {
  const redis = openCommands(url, ANSWER_TIMEOUT_MS);
  try {
    await untilReady(redis, ANSWER_TIMEOUT_MS);
    return (await redis.ping()) === 'PONG';
  } finally {
    redis.disconnect();
  }
}
