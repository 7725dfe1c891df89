/**
 * Runs the embedded Redis on a loopback port: append-only file, a hard memory bound, no eviction. The program, best first: `redis-server`
 * on the PATH, Debian's packages unpacked to the shared folder, and the WebAssembly build of Valkey, which keeps nothing on disk.
 */
import { chownSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Account, ownAccount } from './account.ts';
import { type FetchOptions, unpackPackage } from './debian-packages.ts';
import { ask, findExecutable } from './executable.ts';
import { askRedis } from './redis-protocol.ts';
import {
  endLeftOver,
  type RunningService,
  type ServiceSpec,
  startOnPort,
} from './service-process.ts';

type RedisProgram = {
  readonly kind: 'native';
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
};

export type RedisSource = RedisProgram | { readonly kind: 'wasm' };

/** The engine uses consumer group features of Redis 7.0; Valkey's numbers continue from 7.2. */
const MAJOR_MIN = 7;

type RedisSearch = FetchOptions & { readonly account: Account };

export async function findRedis(search: RedisSearch): Promise<RedisSource> {
  for (const name of ['redis-server', 'valkey-server']) {
    const program = findExecutable(name, search.environment['PATH']);
    if (program === undefined) continue;
    const found: RedisProgram = { kind: 'native', program, environment: {} };
    if (await runs(found, search.account)) return found;
  }
  const fetched = await redisFromPackages(search);
  if (fetched !== undefined && (await runs(fetched, search.account))) return fetched;
  return { kind: 'wasm' };
}

async function runs({ program, environment }: RedisProgram, account: Account): Promise<boolean> {
  const answer = await ask(program, ['--version'], { account, environment });
  const major = Number(/\bv=(\d+)\./.exec(answer.stdout)?.[1]);
  return answer.ok && major >= MAJOR_MIN;
}

/** The unpacked server, or undefined where there is no apt, no network, or no build that fits. */
async function redisFromPackages(options: FetchOptions): Promise<RedisProgram | undefined> {
  const found = await unpackPackage({
    ...options,
    name: 'redis-tools',
    title: 'Redis',
    folder: 'redis-debian',
    finish: (folder) => {
      // The server is one program under several names; it looks at the name it was called by.
      const server = join(folder, 'usr/bin/redis-server');
      if (!existsSync(server)) symlinkSync('redis-check-rdb', server);
    },
  });
  if (found === undefined) return undefined;
  const { folder, environment } = found;
  return { kind: 'native', program: join(folder, 'usr/bin/redis-server'), environment };
}

type RedisOptions = {
  readonly source: RedisSource;
  readonly account: Account;
  /** Owned by the account; Redis' files become its folder `redis`. */
  readonly services: string;
  readonly password: string;
  /** Holds the password for the WebAssembly build, which runs as the caller. */
  readonly passwordFile: string;
  readonly logFile: string;
  /** Setting → value, over the ones below. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A free one by default. */
  readonly port?: number;
  readonly signal: AbortSignal;
};

/** Loading an append-only file of 512 MB takes seconds. */
const READY_TIMEOUT_MS = 60_000;
export const REDIS_MEMORY_BYTES_MAX = 256 * 1024 * 1024;

const SETTINGS: Readonly<Record<string, string>> = {
  bind: '127.0.0.1',
  'protected-mode': 'yes',
  daemonize: 'no',
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
  const { account, password, signal } = options;
  const folder = join(options.services, 'redis');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chownSync(folder, account.uid, account.gid);
  await endLeftOver(folder, join(folder, 'redis.pid'));
  const { port, service } = await startOnPort({
    port: options.port,
    timeoutMs: READY_TIMEOUT_MS,
    signal,
    passes: /address already in use/i,
    specOf: (port) => serviceOf(options, folder, port),
    isReady: (port) => answers(port, password),
  });
  return { url: `redis://:${password}@127.0.0.1:${port}`, port, service };
}

function serviceOf(options: RedisOptions, folder: string, port: number): ServiceSpec {
  const { source, account, logFile } = options;
  const common = { name: 'Redis', logFile };
  if (source.kind === 'native') {
    const { program, environment } = source;
    const args = [writeConfiguration(options, folder, port)];
    return { ...common, program, args, environment, account, cwd: folder };
  }
  const script = fileURLToPath(new URL('valkey-process.ts', import.meta.url));
  const args = ['--no-warnings', script, String(port), options.passwordFile];
  return { ...common, program: process.execPath, args, account: ownAccount(), cwd: '/' };
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
async function answers(port: number, password: string): Promise<boolean> {
  const replies = await askRedis(port, [['AUTH', password], ['PING']]).catch(() => []);
  return replies[0] === '+OK' && replies[1] === '+PONG';
}
