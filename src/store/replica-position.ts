/** Reads how far a primary has written its WAL, and whether a replica has replayed it up to that position. */
import type { Database } from './pool.ts';

export type LogPosition = {
  /** WAL position as Postgres prints it: `0/3000148`. */
  readonly lsn: string;
  /** System identifier of the database cluster; a replica has its primary's. */
  readonly system: string;
};

export type ReplayedTo = {
  /** False for a server that takes writes, and for a replica of another database cluster. */
  readonly isStandby: boolean;
  readonly isReached: boolean;
};

// An acknowledged commit is in the written WAL unless synchronous_commit is off, which the engine does not run with.
const selectWritten = {
  name: 'select-written-log',
  text: `
    select pg_current_wal_lsn()::text as lsn, system_identifier::text as system from pg_control_system()`,
};

const selectReplayed = {
  name: 'select-replayed-log',
  text: `
    select pg_is_in_recovery() and system_identifier::text = $2 as "isStandby",
           coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) as "isReached"
      from pg_control_system()`,
};

export async function readWritten(primary: Database): Promise<LogPosition> {
  const [position] = await primary.query<LogPosition>(selectWritten);
  if (position === undefined) throw new Error('select without from gave no row');
  return position;
}

export async function readReplayed(
  replica: Database,
  { lsn, system }: LogPosition,
): Promise<ReplayedTo> {
  const [replayed] = await replica.query<ReplayedTo>(selectReplayed, [lsn, system]);
  if (replayed === undefined) throw new Error('select without from gave no row');
  return replayed;
}
