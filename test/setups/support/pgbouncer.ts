/** PgBouncer from Debian's package, in transaction mode, with its stock settings otherwise. */
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serviceAccount } from '../../../src/tools/start/services/account.ts';
import { unpackPackages } from '../../../src/tools/start/services/debian-packages.ts';
import { findExecutable } from '../../../src/tools/start/services/executable.ts';
import { startService } from '../../../src/tools/start/services/service-process.ts';
import { NotRun } from '../../chaos/support/not-run.ts';
import { control, type ServiceControl } from '../../support/service-control.ts';
import { askPostgres } from '../../support/standby.ts';
import { waitUntil } from '../../support/wait-until.ts';

const READY_MS = 30_000;

async function findPgBouncer(signal: AbortSignal) {
  const installed = findExecutable('pgbouncer', process.env['PATH']);
  if (installed !== undefined) return { program: installed, environment: {} };
  const options = { environment: process.env, signal };
  const { folder, environment } = await unpackPackages(['pgbouncer'], options).catch(() => {
    throw new NotRun('there is no PgBouncer, and none could be fetched');
  });
  return { program: join(folder, 'usr/sbin/pgbouncer'), environment };
}

export type PoolerOptions = {
  /** URL of Postgres itself; its user and password are valid at the pooler, too. */
  readonly databaseUrl: string;
  readonly port: number;
  /** Folder to make. */
  readonly folder: string;
  readonly signal: AbortSignal;
};

export async function startPooler({
  databaseUrl,
  port,
  folder,
  signal,
}: PoolerOptions): Promise<ServiceControl & AsyncDisposable> {
  const found = await findPgBouncer(signal);
  const server = new URL(databaseUrl);
  const account = serviceAccount();
  mkdirSync(folder);
  const file = (name: string, lines: readonly string[]) => {
    const path = join(folder, name);
    writeFileSync(path, `${lines.join('\n')}\n`, { mode: 0o600 });
    chownSync(path, account.uid, account.gid);
    return path;
  };
  const users = file('userlist.txt', [`"${server.username}" "${server.password}"`]);
  const settings = file('pgbouncer.ini', [
    '[databases]',
    `* = host=${server.hostname} port=${server.port}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = scram-sha-256',
    `auth_file = ${users}`,
    'pool_mode = transaction',
  ]);
  chownSync(folder, account.uid, account.gid);
  const url = new URL(databaseUrl);
  url.port = String(port);
  return await control(folder, async () => {
    const service = await startService({
      ...{ ...found, name: 'PgBouncer', args: [settings], account, cwd: folder },
      logFile: `${folder}.log`,
    });
    await untilAnswers(url.href);
    return { url: url.href, service };
  });
}

async function untilAnswers(url: string): Promise<void> {
  const answers = () =>
    askPostgres(url, 'select 1').then(
      () => true,
      () => false,
    );
  await waitUntil(answers, READY_MS, 'PgBouncer to answer');
}
