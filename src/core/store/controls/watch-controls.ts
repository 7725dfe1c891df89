/** The controls as a process follows them, with what its environment stops, and how many processes share a limit without Redis. */

import type { Config } from '../../../kit/config/config.ts';
import type { Changes } from '../../../kit/database/follow-changes.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { onlyOf } from '../../../kit/database/statement.ts';
import { describeUnknownStops } from '../../../kit/database/unknown-stops.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import { nameProcess } from '../../../kit/process/process-name.ts';
import {
  type Control,
  type Controls,
  freezeOf,
  levelByHand,
  limitsOf,
  listControls,
  nameOf,
  stopOf,
  withEnvironment,
} from '../../domain/control.ts';
import { type Limit, REQUEST_UNITS, WORK_UNITS } from '../../domain/control-kinds.ts';
import { layoutOf } from '../../domain/corridor.ts';
import { CONTROLS_MARK, readControls } from './controls.ts';

/** Stands in place of a person's name where a variable of the process stops a scope. */
export const ENVIRONMENT = 'environment';

/** A process that has read nothing for this long acts by RISK_CONTROLS_UNREAD. */
const UNREAD_MS = 5000;

export type ControlWatch = Awaited<ReturnType<typeof watchControls>>;

/**
 * Follows the controls, so that an API refuses submissions of a stopped scope within half a second. The statement that stores
 * scores, and not this reading, keeps scores of a stopped scope from being stored. Adds the stops of the process' environment, and
 * logs each variable that stops nothing. Throws where the first reading fails.
 */
export async function watchControls(
  config: Pick<Config, 'stopped' | 'RISK_MARKET' | 'RISK_RESIDENCY'>,
  database: Pick<Database, 'query'>,
  changes: Pick<Changes, 'follow'>,
  log: Pick<Log, 'warn' | 'info'>,
) {
  for (const unknown of await describeUnknownStops(database, config)) log.warn(unknown);
  const fixed = stoppedHere(config);
  let current: Controls;
  let corridors: ReadonlySet<string>;
  const replace = (next: Controls) => {
    const isNewer = next.version !== current?.version;
    current = withEnvironment(next, fixed);
    corridors = new Set(current.settings.keys());
    if (!isNewer) return;
    log.info({ version: next.version, controls: listControls(current).map(nameOf) }, 'controls');
  };
  let taken = 0;
  const { refresh, ageMs } = changes.follow({
    name: 'controls',
    mark: CONTROLS_MARK,
    async load() {
      const takenBefore = taken;
      const next = await readControls(database);
      // A reading that was under way during a change may be older than what the change left.
      if (taken === takenBefore || next.version > current.version) replace(next);
    },
  });
  await refresh();
  return {
    /** The controls of Postgres as last read, and those of the environment. */
    current: () => current,
    /** Settings by corridor. */
    settings: () => current.settings,
    /** Whether a control holds the scores of the corridor. */
    isStopped: (corridor: string) => stopOf(current, corridor) !== undefined,
    isFrozen: (corridor: string) => freezeOf(current, corridor) !== undefined,
    /** The least level that people have set, of a corridor or of the process where the corridor is null. */
    levelByHand: (corridor: string | null) => levelByHand(current, corridor),
    /** Takes over what a change in this process has left, unless a later change is known. */
    take(changed: Controls): void {
      if (changed.version <= current.version) return;
      taken += 1;
      replace(changed);
    },
    /** How corridors are divided among streams. */
    layout: layoutOf(() => current, config.RISK_RESIDENCY),
    /** Corridors that a transaction may name. */
    corridors: () => corridors,
    /** Stops of this process' environment. */
    ofEnvironment: fixed,
    /** Whether the last reading is older than 5 s. */
    isUnread: () => ageMs() > UNREAD_MS,
  };
}

/** Stops of a process' environment in its market. */
function stoppedHere({
  stopped,
  RISK_MARKET: market,
}: Pick<Config, 'stopped' | 'RISK_MARKET'>): readonly Control[] {
  const usual = { kind: 'stop', value: null, message: null, ends_at: null, version: 0 } as const;
  const made = { ...usual, set_by: ENVIRONMENT, set_at: new Date().toISOString() };
  return stopped
    .filter((setting) => setting.market === market)
    .map(({ name, scope }) => ({ ...made, scope, reason: `${name}=false` }));
}

/** Longer: a limit is shared among too few processes for longer. Shorter: more writes while there is a limit. */
const BEAT_EVERY_MS = 2000;

export type LimitWatch = ReturnType<typeof watchLimits>;

/** The prefix of the names of workers, which share other limits than API processes. */
const WORKER_PROCESS = 'worker/';

/**
 * Says that a process lives, and counts how many of its role live. A process that was not seen for 10 s has ended.
 */
const noteLive = onlyOf<{ processes: number }, [process: string]>(
  'beat-limit-process',
  `with beat as (
     insert into market.limit_processes (process) values ($1)
     on conflict (process) do update set seen_at = now()
   ), gone as (
     delete from market.limit_processes where seen_at < now() - interval '1 minute' and process <> $1
   )
   select 1 + count(*)::int as processes from market.limit_processes
    where process <> $1 and seen_at > now() - interval '10 seconds'
      and starts_with(process, '${WORKER_PROCESS}') = starts_with($1, '${WORKER_PROCESS}')`,
);

/**
 * The limits of a role among the controls that its process last read, with the number of processes that share the limits.
 * @param database the probe's pool: on the pool of work, quick readings would hide from the breaker that work stalls
 */
export function watchLimits(
  { query }: Pick<Database, 'query'>,
  controls: () => Controls,
  role: 'api' | 'worker',
) {
  const process = role === 'api' ? nameProcess() : WORKER_PROCESS + nameProcess();
  const units = role === 'api' ? REQUEST_UNITS : WORK_UNITS;
  let read: Controls | undefined;
  let limits: readonly Limit[] = [];
  let processes = 1;
  /** Processes are counted only while there are limits to share. Without Postgres the last count stands. */
  const beat = async () => {
    if (limits.length > 0) ({ processes } = await noteLive(query, process));
  };
  const current = () => {
    const now = controls();
    if (read === now) return limits;
    limits = limitsOf(now, units);
    read = now;
    void beat().catch(() => undefined);
    return limits;
  };
  const timer = setInterval(() => void beat().catch(() => undefined), BEAT_EVERY_MS);
  timer.unref();
  return {
    /** The same value until a control changes. */
    current,
    /** Live processes of the role, this one included, as Postgres last counted them. */
    processes: () => processes,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
