/**
 * A new database cluster: made beside its place and renamed into it, so that a crash leaves no unfinished
 * cluster. Passwords everywhere (`trust` would let every local user in), and the builtin C.UTF-8 locale, which
 * sorts the same on every machine.
 */
import { chownSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../../kit/words/failure.ts';
import type { Account } from './account.ts';
import { type Answer, ask } from './executable.ts';
import type { PostgresProgram } from './postgres-program.ts';

/** Name of the engine's role and of its database. */
export const DATABASE = 'risk';
const BUILTIN_LOCALE_SINCE = 17;
const INIT_TIMEOUT_MS = 60_000;

export type ClusterOptions = {
  readonly program: PostgresProgram;
  readonly account: Account;
  /** Owned by the account; the cluster becomes its folder `postgres`. */
  readonly services: string;
  readonly password: string;
};

/** Returns the path of the cluster, which is created where it is missing. */
export async function openCluster(options: ClusterOptions): Promise<string> {
  const cluster = join(options.services, 'postgres');
  if (existsSync(cluster)) checkMajor(cluster, options.program.major);
  else await makeCluster(cluster, options);
  return cluster;
}

function checkMajor(cluster: string, major: number): void {
  const found = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim();
  if (found === String(major)) return;
  throw new Failure(
    'unavailable',
    'CLUSTER_OF_OTHER_VERSION',
    `${cluster} was made by PostgreSQL ${found} and this is ${major}; use another RISK_DATA_DIR`,
  );
}

async function makeCluster(cluster: string, options: ClusterOptions): Promise<void> {
  const { program, account, services, password } = options;
  const draft = `${cluster}.new`;
  rmSync(draft, { recursive: true, force: true });
  const passwordFile = join(services, 'postgres.password');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account.dropped) chownSync(passwordFile, account.uid, account.gid);
  const locale =
    program.major >= BUILTIN_LOCALE_SINCE
      ? ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C']
      : ['--locale=C.UTF-8'];
  const run = { account, cwd: services, timeoutMs: INIT_TIMEOUT_MS };
  try {
    const fixed = ['-D', draft, '-U', 'postgres', '--encoding=UTF8', '--auth=scram-sha-256'];
    const args = [...fixed, `--pwfile=${passwordFile}`, ...locale];
    succeed('initdb', await ask(join(program.bin, 'initdb'), args, run));
  } finally {
    rmSync(passwordFile, { force: true });
  }
  // Single-user mode: one statement a line. The password is hexadecimal, so quoting is safe.
  const input = [
    `create role ${DATABASE} login createdb createrole password '${password}';`,
    `grant pg_monitor to ${DATABASE};`,
    `create database ${DATABASE} owner ${DATABASE};`,
    '',
  ].join('\n');
  const single = ['--single', '-D', draft, 'postgres'];
  const made = await ask(join(program.bin, 'postgres'), single, { ...run, input });
  succeed('first statements', { ...made, ok: made.ok && !made.stderr.includes('ERROR:') });
  renameSync(draft, cluster);
}

function succeed(step: string, answer: Answer): void {
  if (answer.ok) return;
  throw new Failure('unavailable', 'SERVICE_FAILED', `Postgres: ${step}: ${answer.stderr.trim()}`);
}
