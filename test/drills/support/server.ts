/**
 * A server of Postgres as an operator has it: a data folder with its configuration, started and ended by pg_ctl from whatever
 * shell. A port stands for a machine of its own.
 */
import { execFile } from 'node:child_process';
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Account } from '../../../src/tools/start/services/account.ts';
import { findPostgres, openCluster } from '../../../src/tools/start/services/postgres.ts';
import { steadyPort } from '../../setups/support/steady-port.ts';
import type { ServiceControl } from '../../support/service-control.ts';
import { superuserUrl } from '../../support/standby.ts';
import { waitUntil } from '../../support/wait-until.ts';

export type Server = ServiceControl &
  AsyncDisposable & {
    /** PGDATA. */
    readonly folder: string;
    readonly port: number;
    readonly adminUrl: string;
    /** Makes a cluster there. */
    make(): Promise<void>;
  };

export type ServerOptions = {
  /** Folder of Postgres' programs. */
  readonly bin: string;
  readonly account: Account;
  /** Belongs to the account. */
  readonly services: string;
};

const PASSWORD = 'drill';
const END_MS_MAX = 60_000;
/** The port is no part of it: a base backup copies the file to another machine. */
const CONFIGURATION = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
timezone = 'UTC'
log_timezone = 'UTC'
log_min_messages = 'warning'
jit = off
`;

/** A server whose data folder does not exist yet. */
export async function openServer({ bin, account, services }: ServerOptions): Promise<Server> {
  const [folder, port] = [join(realpathSync(services), 'postgres'), await steadyPort()];
  const url = `postgres://risk:${PASSWORD}@127.0.0.1:${port}/risk`;
  const environment = { PATH: `${bin}:/usr/bin:/bin`, LC_ALL: 'C', PGPORT: String(port) };
  const start = async () => {
    const args = ['--pgdata', folder, '--log', `${folder}.log`, 'start'];
    const settings = { cwd: '/', env: environment, ...account };
    await promisify(execFile)(join(bin, 'pg_ctl'), args, settings);
  };
  const pid = () => Number(readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n')[0]);
  const end = async (signal: NodeJS.Signals) => {
    if (processesIn(folder).length === 0) return;
    process.kill(pid(), signal);
    const hasEnded = () => processesIn(folder).length === 0;
    await waitUntil(hasEnded, END_MS_MAX, `the end of Postgres in ${folder}`);
  };
  const make = async () => {
    const program = await findPostgres(account, bin);
    await openCluster({ program, account, services, password: PASSWORD });
    appendFileSync(join(folder, 'postgresql.conf'), CONFIGURATION);
  };
  return {
    ...{ folder, port, url, adminUrl: superuserUrl(url), make, start, end, pid },
    startEmpty: async () => {
      rmSync(folder, { recursive: true, force: true });
      await make();
      await start();
    },
    pause: () => process.kill(pid(), 'SIGSTOP'),
    resume: () => process.kill(pid(), 'SIGCONT'),
    [Symbol.asyncDispose]: () => end('SIGQUIT'),
  };
}

/** Processes of Postgres stand in their data folder. */
function processesIn(folder: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 1 && folderOf(pid) === folder);
}

function folderOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // The process has ended.
    return undefined;
  }
}
