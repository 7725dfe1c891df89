/**
 * A replica of an API process. Once the replica has replayed up to a WAL position that the primary reported (replicas.ts), it holds
 * everything that was committed before the primary was asked, so clock skew and an idle primary add no lag; a paused replay does.
 */
import { BREAKER_STATES, createBreaker } from '../../breakers/breaker.ts';
import type { Config } from '../../config/config.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { answerWithin } from '../../process/settles-within.ts';
import { Failure } from '../../words/failure.ts';
import { openDatabase, openOrderedDatabase, openProbe } from '../open-database.ts';
import { isPoolBusy, isPostgresOutage } from '../outage.ts';
import { onlyOf } from '../statement.ts';

const OF_REPLICA = { setting: 'DATABASE_REPLICA_URL' } as const;
/** Timeout of one check. A replica that misses it counts as down, and the primary answers its reads. */
export const CHECK_MS_MAX = 1000;

/** A WAL position of the primary, and when the primary was asked for it. */
export type Position = Awaited<ReturnType<typeof readWritten>> & { readonly atMs: number };

type ReplicaMetrics = Pick<Metrics, 'breakerState' | 'breakerOpened'>;

type ReplicaOptions = {
  readonly config: Config;
  readonly url: string;
  /** Name of the breaker in metrics. */
  readonly name: string;
  readonly metrics: ReplicaMetrics;
  /** Monotonic clock. */
  readonly nowMs: () => number;
};

export function openReplica({ config, url, name, metrics, nowMs }: ReplicaOptions) {
  const breaker = createReplicaBreaker(name, metrics, nowMs);
  const database = openDatabase(config, url, 'api', { guard: breaker.run, ...OF_REPLICA });
  const ordered = openOrderedDatabase(config, url, breaker.run, OF_REPLICA);
  const probe = openProbe(config, url, 'api-replica', OF_REPLICA);
  let provenMs: number | undefined;
  /** A position that the replica has yet to reach. */
  let target: Position | undefined;
  let last: Position | undefined;
  let hasMissed = false;

  const check = async (position: Position | undefined) => {
    if (position !== undefined) {
      // After a fail-over the new primary may never reach an earlier position.
      if (hasMissed) target = undefined;
      target ??= position;
      last = position;
    }
    hasMissed = position === undefined;
    // While the primary is away, the replica proves how far it has replayed, that it answers, and that it is no primary itself.
    const sought = target ?? last;
    if (sought === undefined) return;
    const { lsn, system, timeline } = sought;
    // A refusal within the session closes its connection: the URL may lead to another server by now.
    const reading = probe.session(async (_client, _begin, query) => {
      const found = await readReplayed(query, lsn, system, timeline);
      if (found.isStandby) return found;
      const said = 'it is no standby of this Postgres, or on another timeline';
      throw new Failure('unavailable', 'NOT_A_STANDBY', said);
    });
    const replayed = await answerWithin(reading, CHECK_MS_MAX);
    if (!replayed.isReached || target === undefined) return;
    provenMs = target.atMs;
    target = undefined;
  };
  return {
    database,
    ordered,
    isClosed: breaker.isClosed,
    /** Time before which the replica holds everything that was committed; undefined before the first check. */
    provenMs: () => provenMs,
    /** @returns the failure, if the replica has failed */
    check: async (position: Position | undefined): Promise<string | undefined> => {
      let cause: string | undefined;
      await breaker.probe(() =>
        check(position).catch((error: unknown) => {
          cause = String(error);
          throw error;
        }),
      );
      // Reads under way would wait in vain, as this check did.
      if (cause !== undefined) breaker.trip();
      return cause;
    },
    [Symbol.asyncDispose]: async () => {
      for (const pool of [probe, ordered, database]) await pool[Symbol.asyncDispose]();
    },
  };
}

function createReplicaBreaker(name: string, metrics: ReplicaMetrics, nowMs: () => number) {
  const breaker = createBreaker({
    name,
    nowMs,
    isOwn: isPoolBusy,
    isFailure: isPostgresOutage,
    onChange: (state) => {
      metrics.breakerState.set({ breaker: name }, BREAKER_STATES.indexOf(state));
      if (state === 'open') metrics.breakerOpened.inc({ breaker: name });
    },
  });
  metrics.breakerState.set({ breaker: name }, 0);
  metrics.breakerOpened.inc({ breaker: name }, 0);
  return breaker;
}

/**
 * An acknowledged commit is in the written WAL unless synchronous_commit is off, which the engine does not run with. A replica has the
 * system identifier of its primary, and a promotion begins a new timeline: positions of two timelines do not compare.
 */
export const readWritten = onlyOf<{ lsn: string; system: string; timeline: number }>(
  'select-written-log',
  `select pg_current_wal_lsn()::text as lsn, system_identifier::text as system,
          ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int4 as timeline
     from pg_control_system()`,
);

/**
 * The control file has the timeline that was replayed at the last restartpoint. After a fail-over it is behind for minutes, in
 * which the primary answers. `received_tli` of pg_stat_wal_receiver is not, but takes the role pg_read_all_stats.
 */
export const readReplayed = onlyOf<
  { isStandby: boolean; isReached: boolean },
  [lsn: string, system: string, timeline: number]
>(
  'select-replayed-log',
  `select pg_is_in_recovery() and system_identifier::text = $2 and min_recovery_end_timeline = $3 as "isStandby",
          coalesce(pg_last_wal_replay_lsn() >= $1::pg_lsn, false) as "isReached"
     from pg_control_system(), pg_control_recovery()`,
);
