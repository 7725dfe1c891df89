/**
 * Makes a streaming replica of a Postgres of the tests by a base backup of its folder while it runs. It needs only the server's
 * own functions and `cp`, as the embedded programs have no pg_basebackup.
 */
import { execFile } from 'node:child_process';
import { appendFileSync, chownSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Account } from '../../src/tools/start/services/account.ts';
import { waitUntil } from './wait-until.ts';

/** Settings of the primary, which keep the WAL that a replica needs after it was away for a while. */
export const PRIMARY_SETTINGS = { wal_keep_size: '256MB' };

const REPLAY_MS_MAX = 30_000;

/** URL of the superuser, as replication requires; in the embedded cluster both users have the same password. */
export function superuserUrl(url: string): string {
  const changed = new URL(url);
  changed.username = 'postgres';
  changed.pathname = '/postgres';
  return changed.href;
}

/** Runs a statement on a connection of its own. */
export async function askPostgres<R extends pg.QueryResultRow>(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<R[]> {
  const client = new pg.Client(url);
  // A connection that breaks fails its statement.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<R>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

type Server = { readonly url: string };

/** Runs a statement as the superuser. @returns its only value */
export async function onServer({ url }: Server, statement: string): Promise<unknown> {
  const [row = {}] = await askPostgres(superuserUrl(url), statement);
  return Object.values(row)[0];
}

/** Returns once each standby has replayed everything that the primary has committed by now. */
export async function untilReplayed(primary: Server, standbys: readonly Server[]): Promise<void> {
  const lsn = await onServer(primary, 'select pg_current_wal_insert_lsn()');
  const isThere = `select pg_last_wal_replay_lsn() >= '${lsn}'::pg_lsn`;
  for (const each of standbys)
    await waitUntil(() => onServer(each, isThere), REPLAY_MS_MAX, 'the replay');
}

/** @param services folder of the replica; its data folder becomes `postgres` there */
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
    chownSync(path, account.uid, account.gid);
  }
  appendFileSync(
    join(cluster, 'postgresql.auto.conf'),
    `primary_conninfo = 'host=${hostname} port=${port} user=postgres password=${password}'\n`,
  );
}
