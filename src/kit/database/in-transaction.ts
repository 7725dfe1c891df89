/** A transaction on one connection. */
import type pg from 'pg';
import { notedCommits } from '../process/note-commits.ts';
import { COMMIT_UNKNOWN, Failure } from '../words/failure.ts';
import { mayBeDone, toFailure } from './pg-failure.ts';

/** Works within one transaction, and notes its commit. */
export async function inTransaction<T>(
  client: pg.PoolClient,
  begin: string,
  work: () => Promise<T>,
): Promise<T> {
  await client.query(begin);
  let value: T;
  try {
    value = await work();
  } catch (error) {
    // The original failure is reported, not that of a rollback on a lost connection.
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
  const commits = notedCommits();
  const hasChanged = commits !== undefined && (await hasWritten(client));
  await client.query('commit').catch((error: unknown) => {
    throw commitFailure(error);
  });
  if (hasChanged) commits.hasChanged = true;
  return value;
}

async function hasWritten(client: pg.PoolClient): Promise<boolean> {
  const text = 'select pg_current_xact_id_if_assigned() is not null as "hasWritten"';
  const { rows } = await client.query<{ hasWritten: boolean }>(text).catch((error: unknown) => {
    throw toFailure(error);
  });
  return rows[0]?.hasWritten === true;
}

/** A connection that dies during a commit leaves the outcome unknown: the caller must read back. */
export function commitFailure(error: unknown): Failure {
  const failure = toFailure(error);
  if (!mayBeDone(failure)) return failure;
  return new Failure('unavailable', COMMIT_UNKNOWN, failure.message, { cause: failure.cause });
}
