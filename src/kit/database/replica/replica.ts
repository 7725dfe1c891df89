/**
 * Proves every half second how far the replica of an API process may lag. The primary reports its WAL position; once the
 * replica has replayed up to that position, it holds everything that was committed before the primary was asked. Clock skew
 * and an idle primary therefore add no lag; a paused replay does.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { BREAKER_STATES, createBreaker } from '../../breakers/breaker.ts';
import type { Config } from '../../config/config.ts';
import type { Log } from '../../metrics/log.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { answerWithin } from '../../process/settles-within.ts';
import { Failure } from '../../words/failure.ts';
import type { ReplicaStatus } from '../../words/replica-status.ts';
import { openDatabase, openOrderedDatabase, openProbe } from '../open-database.ts';
import { isPoolBusy, isPostgresOutage } from '../outage.ts';
import type { Database } from '../pool.ts';
import { onlyOf } from '../statement.ts';

const CHECK_EVERY_MS = 500;
const OF_REPLICA = { setting: 'DATABASE_REPLICA_URL' } as const;
/** Timeout of one check. A replica that misses it counts as down, and the primary answers its reads. */
const CHECK_MS_MAX = 1000;

/** A WAL position that the replica has yet to reach, and when the primary was asked for it. */
type Target = Awaited<ReturnType<typeof readWritten>> & { readonly atMs: number };

export type OpenReplica = ReturnType<typeof openReplica>;

type ReplicaOptions = {
  readonly config: Config;
  readonly url: string;
  /** A pool of the primary for checks alone, so that they never queue behind other work. */
  readonly primary: Database;
  readonly metrics: Pick<Metrics, 'breakerState' | 'breakerOpened' | 'replicaLag'>;
  readonly log: Pick<Log, 'warn' | 'info'>;
  readonly everyMs?: number;
};

export function openReplica(options: ReplicaOptions) {
  const { config, url, primary, metrics, log, everyMs = CHECK_EVERY_MS } = options;
  const nowMs = () => performance.now();
  const breaker = createReplicaBreaker(metrics, nowMs);
  const database = openDatabase(config, url, 'api', { guard: breaker.run, ...OF_REPLICA });
  const ordered = openOrderedDatabase(config, url, breaker.run, OF_REPLICA);
  const probe = openProbe(config, url, 'api-replica', OF_REPLICA);
  const lagMsMax = config.RISK_REPLICA_LAG_MS_MAX;
  let provenMs: number | undefined;
  let target: Target | undefined;
  let said: ReplicaStatus['state'] | undefined;

  const status = (): ReplicaStatus => {
    const lagMs = provenMs === undefined ? null : Math.round(nowMs() - provenMs);
    if (breaker.state() !== 'closed') return { state: 'down', lag_ms: lagMs };
    return { state: lagMs === null || lagMs > lagMsMax ? 'lagging' : 'up', lag_ms: lagMs };
  };
  /** While the primary does not report its position, a check counts neither for nor against the replica. */
  const check = async () => {
    const atMs = nowMs();
    const written = await answerWithin(readWritten(primary.query), CHECK_MS_MAX).catch(
      () => undefined,
    );
    if (written === undefined) {
      // After a fail-over the new primary may never reach this position.
      target = undefined;
      return;
    }
    target ??= { ...written, atMs };
    const { lsn, system, timeline } = target;
    // A refusal within the session closes its connection: the URL may lead to another server by now.
    const reading = probe.session(async (_client, _begin, query) => {
      const found = await readReplayed(query, lsn, system, timeline);
      if (found.isStandby) return found;
      const said = 'it is no standby of this Postgres, or on another timeline';
      throw new Failure('unavailable', 'NOT_A_STANDBY', said);
    });
    const replayed = await answerWithin(reading, CHECK_MS_MAX);
    if (!replayed.isReached) return;
    provenMs = target.atMs;
    target = undefined;
  };
  const report = (cause: unknown) => {
    const { state, lag_ms: lagMs } = status();
    if (lagMs !== null) metrics.replicaLag.set(lagMs / 1000);
    if (state === said) return;
    said = state;
    log[state === 'up' ? 'info' : 'warn']({ state, lagMs, cause }, 'replica');
  };
  const checkAndReport = async () => {
    let cause: string | undefined;
    await breaker.probe(() =>
      check().catch((error: unknown) => {
        cause = String(error);
        throw error;
      }),
    );
    // Reads under way would wait in vain, as this check did.
    if (cause !== undefined) breaker.trip();
    report(cause);
  };
  const stopped = new AbortController();
  const checks = repeat(checkAndReport, everyMs, stopped.signal);
  return {
    database,
    ordered,
    status,
    ageMs: () =>
      status().state === 'up' && provenMs !== undefined ? nowMs() - provenMs : undefined,
    [Symbol.asyncDispose]: async () => {
      stopped.abort();
      await checks;
      for (const pool of [probe, ordered, database]) await pool[Symbol.asyncDispose]();
    },
  };
}

function createReplicaBreaker(metrics: ReplicaOptions['metrics'], nowMs: () => number) {
  const breaker = createBreaker({
    name: 'replica',
    nowMs,
    isOwn: isPoolBusy,
    isFailure: isPostgresOutage,
    onChange: (state) => {
      metrics.breakerState.set({ breaker: 'replica' }, BREAKER_STATES.indexOf(state));
      if (state === 'open') metrics.breakerOpened.inc({ breaker: 'replica' });
    },
  });
  metrics.breakerState.set({ breaker: 'replica' }, 0);
  metrics.breakerOpened.inc({ breaker: 'replica' }, 0);
  return breaker;
}

async function repeat(check: () => Promise<void>, everyMs: number, signal: AbortSignal) {
  while (!signal.aborted) {
    await check();
    await delay(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
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
