/** A transaction on one connection, from begin to commit or rollback. */
import type pg from 'pg';
import { notedCommits } from '../process/note-commits.ts';
import { commit, toFailure } from './pg-failure.ts';

/** Works within one transaction on one connection, and notes its commit. */
export async function inTransaction<T>(
  client: pg.PoolClient,
  begin: string,
  work: () => Promise<T>,
): Promise<T> {
  await client.query(begin);
  const commits = notedCommits();
  let value: T;
  let hasChanged: boolean;
  try {
    value = await work();
    hasChanged = commits !== undefined && (await hasWritten(client));
  } catch (error) {
    // The original failure is reported, not that of a rollback on a lost connection.
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
  await commit(client);
  if (commits !== undefined && hasChanged) commits.hasChanged = true;
  return value;
}

async function hasWritten(client: pg.PoolClient): Promise<boolean> {
  const text = 'select pg_current_xact_id_if_assigned() is not null as "hasWritten"';
  const { rows } = await client.query<{ hasWritten: boolean }>(text).catch((error: unknown) => {
    throw toFailure(error);
  });
  return rows[0]?.hasWritten === true;
}
