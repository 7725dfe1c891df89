/** Reads how far a primary has written its WAL, and whether a replica has replayed it up to that position, or has a commit. */
import { UNKNOWN_SYSTEM, type WriteMark } from '../../words/consistency-token.ts';
import { Failure } from '../../words/failure.ts';
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
  /** Every database transaction with a smaller number has ended on the server. */
  readonly endedBound: string;
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
           coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) as "isReached",
           pg_snapshot_xmin(pg_current_snapshot())::text as "endedBound"
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

const selectSystem = {
  name: 'select-system',
  text: 'select system_identifier::text as system from pg_control_system()',
};

/** System identifier of the database cluster; UNKNOWN_SYSTEM where the server does not let its user read it. */
export async function readSystem(primary: Pick<Database, 'query'>): Promise<string> {
  try {
    const [row] = await primary.query<{ system: string }>(selectSystem);
    return row?.system ?? UNKNOWN_SYSTEM;
  } catch (error) {
    if (error instanceof Failure && error.kind === 'permanent') return UNKNOWN_SYSTEM;
    throw error;
  }
}

const selectBound = {
  name: 'select-snapshot-bound',
  text: 'select pg_snapshot_xmax(pg_current_snapshot())::text as xid',
};

/** Every database transaction that was answered as committed has a smaller number. */
export async function readSnapshotBound(primary: Pick<Database, 'query'>): Promise<string> {
  const [row] = await primary.query<{ xid: string }>(selectBound);
  if (row === undefined) throw new Error('select without from gave no row');
  return row.xid;
}

// Numbers from the snapshot's upper bound on are not asked for: to pg_xact_status they are in the future, an error. A standby's
// snapshot does not list what is in progress, so pg_visible_in_snapshot would say true of it; pg_xact_status does not.
const selectHasWrite = {
  name: 'select-has-write',
  text: `
    select case when $1::xid8 < low then true
                when $2 then $1::xid8 = low
                when $1::xid8 < high then pg_xact_status($1::xid8) = 'committed'
                else false end as "hasWrite"
      from (select pg_snapshot_xmin(at) as low, pg_snapshot_xmax(at) as high from pg_current_snapshot() at) bounds`,
};

/** Whether a statement that begins now on this server sees what the write stored. */
export async function hasWrite(
  database: Pick<Database, 'query'>,
  { xid, isBound }: WriteMark,
): Promise<boolean> {
  const [row] = await database.query<{ hasWrite: boolean }>(selectHasWrite, [xid, isBound]);
  return row?.hasWrite === true;
}
