/**
 * The switches as a process last read them. They are followed, so an API refuses what is stopped within half a second; that
 * nothing of a stopped scope is stored as a score, the statement sees to that stores scores.
 */
import type { Config } from '../../../kit/config/config.ts';
import type { Changes } from '../../../kit/database/follow-changes.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { describeUnknownSettings } from '../../../kit/database/unknown-switch-settings.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import { type Layout, layoutOf } from '../../domain/layout.ts';
import { type Stop, type Switches, withEnvironment } from '../../domain/switch.ts';
import { readSwitches, SWITCHES_MARK } from './switches.ts';

/** A process that has read nothing for this long acts by RISK_SWITCHES_UNREAD. */
const UNREAD_MS = 5000;

export type SwitchWatch = {
  /** The switches of Postgres as last read, and those of the environment. */
  readonly current: () => Switches;
  /** Takes over what a change in this process has left, unless a later change is known. */
  readonly take: (changed: Switches) => void;
  /** How corridors are divided among streams. */
  readonly layout: Layout;
  /** Corridors that a transaction may name. */
  readonly corridors: () => ReadonlySet<string>;
  /** Stops of this process' environment. */
  readonly ofEnvironment: ReadonlyMap<string, Stop>;
  /** Whether the last reading is older than 5 s. */
  readonly isUnread: () => boolean;
};

/** Stops also what the environment of the process stops in its market, and logs each variable that stops nothing. */
export async function watchSwitchesOf(
  config: Pick<Config, 'stopped' | 'RISK_MARKET'>,
  database: Pick<Database, 'query'>,
  changes: Pick<Changes, 'follow'>,
  log: Pick<Log, 'warn' | 'info'>,
): Promise<SwitchWatch> {
  for (const unknown of await describeUnknownSettings(database, config.stopped)) log.warn(unknown);
  return await watchSwitches(database, changes, stoppedHere(config), log);
}

/** Stops of a process' environment in its market. */
function stoppedHere({
  stopped,
  RISK_MARKET: market,
}: Pick<Config, 'stopped' | 'RISK_MARKET'>): ReadonlyMap<string, Stop> {
  const stoppedAt = new Date().toISOString();
  return new Map(
    stopped
      .filter((setting) => setting.market === market)
      .map(({ name, scope }): [string, Stop] => {
        const reason = `${name}=false`;
        return [
          scope,
          { reason, message: null, stoppedBy: 'environment', stoppedAt, endsAt: null },
        ];
      }),
  );
}

/**
 * Fails when the switches cannot be read at first.
 * @param fixed scopes that the environment of this process stops
 */
async function watchSwitches(
  database: Pick<Database, 'query'>,
  changes: Pick<Changes, 'follow'>,
  fixed: ReadonlyMap<string, Stop>,
  log: Pick<Log, 'info'>,
): Promise<SwitchWatch> {
  let current: Switches;
  let corridors: ReadonlySet<string>;
  const replace = (next: Switches) => {
    current = withEnvironment(next, fixed);
    corridors = new Set(current.settings.keys());
  };
  let taken = 0;
  const { refresh, ageMs } = changes.follow({
    name: 'switches',
    mark: SWITCHES_MARK,
    async load() {
      const takenBefore = taken;
      const next = await readSwitches(database);
      const isNewer = next.version !== current?.version;
      // A reading that was under way during a change may be older than what the change left.
      if (taken === takenBefore || next.version > current.version) replace(next);
      if (isNewer) {
        log.info({ version: current.version, stopped: [...current.stopped.keys()] }, 'switches');
      }
    },
  });
  await refresh();
  return {
    current: () => current,
    take(changed) {
      if (changed.version <= current.version) return;
      taken += 1;
      replace(changed);
    },
    layout: layoutOf(() => current),
    corridors: () => corridors,
    ofEnvironment: fixed,
    isUnread: () => ageMs() > UNREAD_MS,
  };
}
