/**
 * Asks the primary for its WAL position every half second, measures how far each replica lags behind, and chooses the freshest. While the
 * primary is away, a replica stands in if its lag was within the bound when the primary was last seen: an absent primary adds no lag.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../config/config.ts';
import type { Log } from '../../metrics/log.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { answerWithin } from '../../process/settles-within.ts';
import type { ReplicaStatus } from '../../words/replica-status.ts';
import type { Database } from '../pool.ts';
import { CHECK_MS_MAX, openReplica, readWritten } from './replica.ts';
import type { StandIn } from './stand-in.ts';

const CHECK_EVERY_MS = 500;
/** Unanswered checks in a row until the primary is away. More: reads wait longer for the replica. Fewer: one slow check is enough. */
const MISSED_MAX = 2;

export type OpenReplicas = ReturnType<typeof openReplicas>;

type ReplicasOptions = {
  readonly config: Config;
  readonly urls: readonly string[];
  /** A pool of the primary for checks alone, so that they never queue behind other work. */
  readonly primary: Database;
  /** Whether calls reach the primary: its breaker is closed. */
  readonly isPrimaryUp?: () => boolean;
  readonly metrics: Pick<Metrics, 'breakerState' | 'breakerOpened' | 'replicaLag'>;
  readonly log: Pick<Log, 'warn' | 'info'>;
  readonly everyMs?: number;
};

export function openReplicas(options: ReplicasOptions) {
  const { config, urls, primary, isPrimaryUp = () => true, metrics, log } = options;
  const { RISK_REPLICA_LAG_MS_MAX: lagMsMax } = config;
  const nowMs = () => performance.now();
  const replicas = urls.map((url, nth) => {
    const name = nth === 0 ? 'replica' : `replica_${nth + 1}`;
    return { name, ...openReplica({ config, url, name, metrics, nowMs }) };
  });
  type Replica = (typeof replicas)[number];
  const said = new Map<string, ReplicaStatus['state']>();
  /** When the primary last reported its position while calls reached it. */
  let seenMs: number | undefined;
  let missed = 0;

  const isAway = () => missed >= MISSED_MAX || !isPrimaryUp();
  const lagOf = ({ provenMs }: Replica, atMs: number): number | null => {
    const provedMs = provenMs();
    return provedMs === undefined ? null : Math.max(0, Math.round(atMs - provedMs));
  };
  const statusOf = (replica: Replica): ReplicaStatus => {
    const lagMs = lagOf(replica, isAway() ? (seenMs ?? nowMs()) : nowMs());
    if (!replica.isClosed()) return { state: 'down', lag_ms: lagMs };
    return { state: lagMs === null || lagMs > lagMsMax ? 'lagging' : 'up', lag_ms: lagMs };
  };
  /** The freshest replica that answers within its bound of lag, or else the first replica. */
  const best = (): Replica => {
    const up = replicas.filter((replica) => statusOf(replica).state === 'up');
    const [freshest] = up.toSorted((a, b) => (b.provenMs() ?? 0) - (a.provenMs() ?? 0));
    return freshest ?? (replicas[0] as Replica);
  };
  const report = (replica: Replica, cause: string | undefined) => {
    const { state, lag_ms: lagMs } = statusOf(replica);
    if (state === said.get(replica.name)) return;
    said.set(replica.name, state);
    log[state === 'up' ? 'info' : 'warn']({ state, lagMs, cause }, replica.name);
  };
  const checkAll = async () => {
    const atMs = nowMs();
    const written = await answerWithin(readWritten(primary.query), CHECK_MS_MAX).catch(
      () => undefined,
    );
    missed = written === undefined ? missed + 1 : 0;
    // A primary that is back counts as seen once calls reach it: until then the replica, which now lags behind, still stands in.
    if (written !== undefined && isPrimaryUp()) seenMs = atMs;
    const checks = replicas.map(async (replica) => {
      report(replica, await replica.check(written && { ...written, atMs }));
    });
    await Promise.all(checks);
    const lags = replicas.flatMap((replica) => statusOf(replica).lag_ms ?? []);
    if (lags.length > 0) metrics.replicaLag.set(Math.max(...lags) / 1000);
  };
  const stopped = new AbortController();
  const checks = repeat(checkAll, options.everyMs ?? CHECK_EVERY_MS, stopped.signal);
  return {
    get database() {
      return best().database;
    },
    get ordered() {
      return best().ordered;
    },
    /** State of the freshest. */
    status: () => statusOf(best()),
    ageMs: (): number | undefined => {
      const replica = best();
      const ageMs = lagOf(replica, nowMs());
      return replica.isClosed() && ageMs !== null && ageMs <= lagMsMax ? ageMs : undefined;
    },
    standIn: (): StandIn | undefined => {
      if (!isAway() || seenMs === undefined) return undefined;
      const replica = best();
      const ageMs = lagOf(replica, nowMs());
      if (ageMs === null || statusOf(replica).state !== 'up') return undefined;
      const { database, ordered } = replica;
      return { database, ordered, sinceMs: Date.now() - ageMs };
    },
    [Symbol.asyncDispose]: async () => {
      stopped.abort();
      await checks;
      for (const replica of replicas) await replica[Symbol.asyncDispose]();
    },
  };
}

async function repeat(check: () => Promise<void>, everyMs: number, signal: AbortSignal) {
  while (!signal.aborted) {
    await check();
    await delay(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
