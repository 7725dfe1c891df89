/** Reads how far a primary has written its WAL, and whether a replica has replayed it up to that position. */
import type { Database } from '../pool.ts';

export type LogPosition = {
  /** WAL position as Postgres prints it: `0/3000148`. */
  readonly lsn: string;
  /** System identifier of the database cluster; a replica has its primary's. */
  readonly system: string;
  /** Timeline of the position: a promotion begins a new one, and positions of two timelines do not compare. */
  readonly timeline: number;
};

type ReplayedTo = {
  /** False for a server that takes writes, and for a replica of another database cluster or timeline. */
  readonly isStandby: boolean;
  readonly isReached: boolean;
};

// An acknowledged commit is in the written WAL unless synchronous_commit is off, which the engine does not run with.
const selectWritten = {
  name: 'select-written-log',
  text: `
    select pg_current_wal_lsn()::text as lsn, system_identifier::text as system,
           ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int4 as timeline
      from pg_control_system()`,
};

// The control file has the timeline that was replayed at the last restartpoint. After a fail-over it is behind for minutes, in
// which the primary answers. `received_tli` of pg_stat_wal_receiver is not, but takes the role pg_read_all_stats.
const selectReplayed = {
  name: 'select-replayed-log',
  text: `
    select pg_is_in_recovery() and system_identifier::text = $2 and min_recovery_end_timeline = $3 as "isStandby",
           coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) as "isReached"
      from pg_control_system(), pg_control_recovery()`,
};

export async function readWritten(primary: Database): Promise<LogPosition> {
  const [position] = await primary.query<LogPosition>(selectWritten);
  if (position === undefined) throw new Error('select without from gave no row');
  return position;
}

export async function readReplayed(
  replica: Database,
  { lsn, system, timeline }: LogPosition,
): Promise<ReplayedTo> {
  const [replayed] = await replica.query<ReplayedTo>(selectReplayed, [lsn, system, timeline]);
  if (replayed === undefined) throw new Error('select without from gave no row');
  return replayed;
}
