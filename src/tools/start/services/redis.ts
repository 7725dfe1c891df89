/** Runs the embedded Redis on a loopback port: append-only file, a hard memory bound, no eviction. */
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Account } from './account.ts';
import { endLeftOver } from './left-over.ts';
import type { RedisSource } from './redis-program.ts';
import { askRedis } from './redis-protocol.ts';
import { type RunningService, type ServiceSpec, startOnPort } from './service-process.ts';

type RedisOptions = {
  readonly source: RedisSource;
  readonly account: Account;
  /** Owned by the account; Redis' files become its folder `redis`. */
  readonly services: string;
  readonly password: string;
  /** Holds the password for the WebAssembly build, which runs as the caller. */
  readonly passwordFile: string;
  readonly logFile: string;
  /** False keeps nothing on disk: for tests only. */
  readonly durable: boolean;
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
  // Four rewrites of up to 45 MB of profiles took about 0.15 s of processor time each. At 530 bytes a transaction one
  // comes every 800,000. Compression would cost a tenth of what the server does under load, to save disk alone.
  'auto-aof-rewrite-min-size': '512mb',
  rdbcompression: 'no',
};
const DURABLE = { appendonly: 'yes', appendfsync: 'everysec' };
const FAST = { appendonly: 'no' };

export async function startRedis(options: RedisOptions): Promise<RunningService> {
  const folder = join(options.services, 'redis');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (options.account.dropped) chownSync(folder, options.account.uid, options.account.gid);
  await endLeftOver('Redis', folder, join(folder, 'redis.pid'), 'SIGTERM');
  const { port, service } = await startOnPort({
    port: options.port,
    timeoutMs: READY_TIMEOUT_MS,
    signal: options.signal,
    portTaken: /address already in use/i,
    specOf: (port) => serviceOf(options, folder, port),
    isReady: (port) => answers(port, options.password),
  });
  return { url: `redis://:${options.password}@127.0.0.1:${port}`, port, service };
}

function serviceOf(options: RedisOptions, folder: string, port: number): ServiceSpec {
  const common = {
    name: 'Redis',
    logFile: options.logFile,
    stopSignal: 'SIGTERM',
    lastSignal: 'SIGKILL',
  } as const;
  if (options.source.kind === 'native') {
    const { program, environment } = options.source;
    const args = [writeConfiguration(options, folder, port)];
    return { ...common, program, args, environment, account: options.account, cwd: folder };
  }
  const self = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0, dropped: false };
  const script = fileURLToPath(new URL('valkey-process.ts', import.meta.url));
  const args = ['--no-warnings', script, String(port), options.passwordFile];
  return { ...common, program: process.execPath, args, account: self, cwd: '/' };
}

/** A file, not arguments: every user of the machine may read a process's arguments. */
function writeConfiguration(options: RedisOptions, folder: string, port: number): string {
  const settings = {
    ...SETTINGS,
    ...(options.durable ? DURABLE : FAST),
    port: String(port),
    dir: JSON.stringify(folder),
    pidfile: JSON.stringify(join(folder, 'redis.pid')),
    requirepass: options.password,
    ...options.settings,
  };
  const file = join(folder, 'redis.conf');
  const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  if (options.account.dropped) chownSync(file, options.account.uid, options.account.gid);
  return file;
}

/** The server accepts the password of this data folder, and has loaded its data. */
async function answers(port: number, password: string): Promise<boolean> {
  const replies = await askRedis(port, [['AUTH', password], ['PING']]).catch(() => []);
  return replies[0] === '+OK' && replies[1] === '+PONG';
}
