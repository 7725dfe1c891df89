/**
 * A streaming replica of a Postgres of the tests: a base backup of its folder while it runs, which only the server's own
 * functions and `cp` are needed for, as the embedded programs have no pg_basebackup.
 */
import { execFile } from 'node:child_process';
import { appendFileSync, chownSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Account } from '../../src/embedded/account.ts';

/** What the primary must have, so that a replica that was away for a while finds the log that it lacks. */
export const PRIMARY_SETTINGS = { wal_keep_size: '256MB' };

/** The URL of the superuser, whom replication needs; the embedded cluster gives both the same password. */
export function superuserUrl(url: string): string {
  const changed = new URL(url);
  changed.username = 'postgres';
  changed.pathname = '/postgres';
  return changed.href;
}

/** @param services folder of the replica, in which its cluster becomes `postgres` */
export async function backUpForStandby(
  primaryUrl: string,
  services: string,
  account: Account,
): Promise<void> {
  const cluster = join(services, 'postgres');
  const { hostname, port, password } = new URL(primaryUrl);
  const client = new pg.Client(superuserUrl(primaryUrl));
  await client.connect();
  let label: string;
  try {
    await client.query(`select pg_backup_start('standby', true)`);
    const { rows } = await client.query<{ folder: string }>(
      `select current_setting('data_directory') as folder`,
    );
    await promisify(execFile)('cp', ['-a', rows[0]?.folder ?? '', cluster]);
    const stopped = await client.query<{ labelfile: string }>(
      'select labelfile from pg_backup_stop()',
    );
    label = stopped.rows[0]?.labelfile ?? '';
  } finally {
    await client.end();
  }
  for (const name of ['postmaster.pid', 'postmaster.opts']) rmSync(join(cluster, name));
  const made = { backup_label: label, 'standby.signal': '' };
  for (const [name, text] of Object.entries(made)) {
    const path = join(cluster, name);
    writeFileSync(path, text, { mode: 0o600 });
    if (account.dropped) chownSync(path, account.uid, account.gid);
  }
  appendFileSync(
    join(cluster, 'postgresql.auto.conf'),
    `primary_conninfo = 'host=${hostname} port=${port} user=postgres password=${password}'\n`,
  );
}
