/** The controls as a process follows them, with what its environment stops. */
import type { Config } from '../../../kit/config/config.ts';
import type { Changes } from '../../../kit/database/follow-changes.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { describeUnknownSettings } from '../../../kit/database/unknown-switch-settings.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import {
  type Control,
  type Controls,
  listControls,
  nameOf,
  withEnvironment,
} from '../../domain/control.ts';
import { layoutOf } from '../../domain/corridor-settings.ts';
import { CONTROLS_MARK, readControls } from './controls.ts';

/** A process that has read nothing for this long acts by RISK_SWITCHES_UNREAD. */
const UNREAD_MS = 5000;

export type ControlWatch = Awaited<ReturnType<typeof watchControls>>;

/**
 * Follows the controls, so that an API refuses submissions of a stopped scope within half a second. The statement that stores
 * scores, and not this reading, keeps scores of a stopped scope from being stored.
 * Adds the stops of the process' environment in its market, and logs each variable that stops nothing. Fails when the first
 * reading fails.
 */
export async function watchControls(
  config: Pick<Config, 'stopped' | 'RISK_MARKET'>,
  database: Pick<Database, 'query'>,
  changes: Pick<Changes, 'follow'>,
  log: Pick<Log, 'warn' | 'info'>,
) {
  for (const unknown of await describeUnknownSettings(database, config.stopped)) log.warn(unknown);
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
    /** Takes over what a change in this process has left, unless a later change is known. */
    take(changed: Controls): void {
      if (changed.version <= current.version) return;
      taken += 1;
      replace(changed);
    },
    /** How corridors are divided among streams. */
    layout: layoutOf(() => current),
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
  const set_at = new Date().toISOString();
  return stopped
    .filter((setting) => setting.market === market)
    .map(({ name, scope }) => ({
      kind: 'stop',
      scope,
      value: null,
      reason: `${name}=false`,
      message: null,
      set_by: 'environment',
      set_at,
      ends_at: null,
      version: 0,
    }));
}
