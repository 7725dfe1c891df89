/**
 * The switches as a process last read them. They are read twice a second, so an API refuses what is stopped within that time;
 * that nothing of a stopped scope is stored as a score, the statement sees to that stores scores.
 */
import type { Config } from '../../../kit/config/config.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { describeUnknownSettings } from '../../../kit/database/unknown-switch-settings.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import { toError } from '../../../kit/words/failure.ts';
import { type Layout, layoutOf } from '../../domain/layout.ts';
import { type Stop, type Switches, withEnvironment } from '../../domain/switch.ts';
import { readSwitches } from './switches.ts';

const EVERY_MS = 500;
/** A process that has read nothing for this long says so, and acts by RISK_SWITCHES_UNREAD. */
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
  readonly [Symbol.dispose]: () => void;
};

/** Stops also what the environment of the process stops in its market, and logs each variable that stops nothing. */
export async function watchSwitchesOf(
  config: Pick<Config, 'stopped' | 'RISK_MARKET'>,
  database: Pick<Database, 'query'>,
  log: Pick<Log, 'warn' | 'info'>,
): Promise<SwitchWatch> {
  for (const unknown of await describeUnknownSettings(database, config.stopped)) log.warn(unknown);
  return await watchSwitches(database, stoppedHere(config), log);
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
 * @param database the probe's: readings that pass would hide from the breaker that work stalls
 * @param fixed scopes that the environment of this process stops
 */
async function watchSwitches(
  database: Pick<Database, 'query'>,
  fixed: ReadonlyMap<string, Stop>,
  log: Pick<Log, 'warn' | 'info'>,
): Promise<SwitchWatch> {
  const read = async () => withEnvironment(await readSwitches(database), fixed);
  let current = await read();
  let corridors = new Set(current.settings.keys());
  const replace = (next: Switches) => {
    current = next;
    corridors = new Set(current.settings.keys());
  };
  let readAtMs = performance.now();
  let isReading = false;
  let hasSaid = false;
  let taken = 0;
  const isUnread = () => performance.now() - readAtMs > UNREAD_MS;
  const timer = setInterval(async () => {
    if (isUnread() && !hasSaid) {
      hasSaid = true;
      log.warn('the switches could not be read for 5 s: the last ones read stay in force');
    }
    if (isReading) return;
    isReading = true;
    try {
      const before = current.version;
      const takenBefore = taken;
      const next = await read();
      // A reading that was under way during a change may be older than what the change left.
      if (taken === takenBefore) replace(next);
      readAtMs = performance.now();
      hasSaid = false;
      if (current.version !== before) {
        log.info({ version: current.version, stopped: [...current.stopped.keys()] }, 'switches');
      }
    } catch (error) {
      log.warn({ err: toError(error).message }, 'the switches could not be read');
    } finally {
      isReading = false;
    }
  }, EVERY_MS);
  timer.unref();
  return {
    current: () => current,
    take(changed) {
      if (changed.version <= current.version) return;
      taken += 1;
      replace(withEnvironment(changed, fixed));
    },
    layout: layoutOf(
      () => current,
      () => performance.now(),
    ),
    corridors: () => corridors,
    ofEnvironment: fixed,
    isUnread,
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
