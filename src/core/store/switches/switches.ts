/**
 * Switches in Postgres: one row of `market.switches`. A statement that stores scores locks that table in share mode until its
 * commit, so a change waits for stores under way, and no later store misses it, whatever its process knows.
 */

import type { Config } from '../../../kit/config/config.ts';
import type { Changes } from '../../../kit/database/follow-changes.ts';
import { MARKETS } from '../../../kit/database/market-reach.ts';
import { inMarket } from '../../../kit/database/market-schema.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { onlyOf, rowsOf } from '../../../kit/database/statement.ts';
import { describeUnknownSettings } from '../../../kit/database/unknown-switch-settings.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import { Failure } from '../../../kit/words/failure.ts';
import {
  type CorridorSettings,
  DEFAULT_SETTINGS,
  layoutOf,
  type Stop,
  type Switches,
  withEnvironment,
} from '../../domain/switch.ts';
import { ELSEWHERE, SETTINGS } from '../corridors/settings.ts';
import { FIELDS, type StoredFields, toFields } from '../metadata-fields/metadata-fields.ts';

const among = onlyOf<{ corridors: string[] }, [corridors: readonly string[]]>(
  'stopped-among',
  'select market.stopped_among($1::text[]) as corridors',
);

/** A process that has read nothing for this long acts by RISK_SWITCHES_UNREAD. */
const UNREAD_MS = 5000;

export type SwitchWatch = Awaited<ReturnType<typeof watchSwitchesOf>>;

/** The stopped corridors among these; the answer stays true until the end of the database transaction. */
export async function stoppedAmong(query: Query, corridors: readonly string[]): Promise<string[]> {
  return (await among(query, corridors)).corridors;
}

type Row = {
  readonly version: string;
  readonly stopped: Readonly<Record<string, Stop>>;
  readonly settings: Readonly<Record<string, CorridorSettings | null>>;
  readonly elsewhere: Readonly<Record<string, string>>;
  readonly fields: StoredFields;
};

const STOPPED = `(select coalesce(jsonb_object_agg(scope, stop), '{}')
    from jsonb_each(stopped) as one (scope, stop) where market.is_stopped(stopped, scope))`;

const read = onlyOf<Row>(
  'read-switches',
  `select version::text, ${STOPPED} as stopped, ${SETTINGS} as settings, ${ELSEWHERE} as elsewhere, ${FIELDS} as fields
     from market.switches`,
);

/** An expression: all that is read. */
const SWITCHES_MARK = `(select md5(concat_ws(' ', version, ${STOPPED}, ${SETTINGS}, ${ELSEWHERE}, ${FIELDS})) from market.switches)`;

/** Keeps the switches as they are until the end of the database transaction. */
export const holdSwitches = rowsOf('hold-switches', 'lock table market.switches in share mode');

export async function readSwitches({ query }: Pick<Database, 'query'>): Promise<Switches> {
  return toSwitches(await read(query));
}

function toSwitches({ version, stopped, settings, elsewhere, fields }: Row): Switches {
  const stops = Object.entries(stopped).map(([scope, stop]): [string, Stop] => {
    const stopped_at = new Date(stop.stopped_at).toISOString();
    const ends_at = stop.ends_at === null ? null : new Date(stop.ends_at).toISOString();
    return [scope, { ...stop, stopped_at, ends_at }];
  });
  return {
    version: Number(version),
    stopped: new Map(stops),
    settings: new Map(
      Object.entries(settings).map(([corridor, own]) => [corridor, own ?? DEFAULT_SETTINGS]),
    ),
    elsewhere: new Map(Object.entries(elsewhere)),
    fields: toFields(fields),
  };
}

const STOP = `update market.switches
    set version = version + 1,
        stopped = stopped || jsonb_build_object($1::text, $2::jsonb || jsonb_build_object('stopped_at', clock_timestamp()))`;
const START = 'update market.switches set version = version + 1, stopped = stopped - $1::text';
const LOCK = 'lock table market.switches in share row exclusive mode';

const own = onlyOf<{ pid: number }>('own-session', 'select pg_backend_pid() as pid');
const listMarkets = rowsOf<{ market: string; isOurs: boolean }>(
  'list-markets',
  `select market::text, has_schema_privilege(oid, 'usage') as "isOurs" from (${MARKETS}) as markets order by market`,
);

/** @throws Failure where another market has a role of its own, so that this role stops none of them */
async function marketsOfAll(query: Query): Promise<string[]> {
  const markets = await listMarkets(query);
  const others = markets.filter(({ isOurs }) => !isOurs).map(({ market }) => market);
  if (others.length === 0) return markets.map(({ market }) => market);
  const why = `another role has ${others.join(', ')}: change the scope market at an API of each market`;
  throw new Failure('conflict', 'MARKETS_SEPARATED', why);
}

/** A store that takes longer is ended by its session; its batch is redelivered. */
const STORE_WAIT_MS = 500;
const END_EVERY_MS = 100;

const endBlockersStatement = {
  name: 'end-blocking-stores',
  text: `select pg_terminate_backend(pid) from unnest(pg_blocking_pids($1)) as pid
           join pg_stat_activity using (pid) where application_name like 'risk-worker%'`,
};

type SwitchChange = {
  readonly stop: (scope: string, stop: Omit<Stop, 'stopped_at'>) => Promise<Switches>;
  readonly start: (scope: string) => Promise<Switches>;
};

/**
 * Runs `work` with the right to change switches: it waits for stores under way, and after 500 ms ends those that are left.
 * @param isOfAll whether the change is made in each market of the database
 */
export async function changeSwitches<T>(
  database: Pick<Database, 'query' | 'transaction'>,
  isOfAll: boolean,
  work: (query: Query, before: Switches, change: SwitchChange) => Promise<T>,
): Promise<T> {
  return await database.transaction(async (query) => {
    const { pid } = await own(query);
    const markets = isOfAll ? await marketsOfAll(query) : null;
    const write = async (text: string, values: readonly unknown[] = []) => {
      const texts = markets?.map((market) => inMarket(text, market)) ?? [text];
      for (const text of texts) await query({ text: text }, values);
    };
    await endingBlockers(database, pid, () => write(LOCK));
    const now = async () => toSwitches(await read(query));
    return await work(query, await now(), {
      async stop(scope, stop) {
        await write(STOP, [scope, JSON.stringify(stop)]);
        return await now();
      },
      async start(scope) {
        await write(START, [scope]);
        return await now();
      },
    });
  });
}

/** @param pid the session that waits */
async function endingBlockers(
  { query }: Pick<Database, 'query'>,
  pid: number,
  wait: () => Promise<void>,
): Promise<void> {
  const end = () => void query(endBlockersStatement, [pid]).catch(() => undefined);
  let again: NodeJS.Timeout | undefined;
  const first = setTimeout(() => {
    end();
    again = setInterval(end, END_EVERY_MS);
  }, STORE_WAIT_MS);
  try {
    await wait();
  } finally {
    clearTimeout(first);
    clearInterval(again);
  }
}

/**
 * The switches as a process last read them. They are followed, so an API refuses what is stopped within half a second; that
 * nothing of a stopped scope is stored as a score, the statement sees to that stores scores.
 * Stops also what the environment of the process stops in its market, and logs each variable that stops nothing. Fails when the
 * switches cannot be read at first.
 */
export async function watchSwitchesOf(
  config: Pick<Config, 'stopped' | 'RISK_MARKET'>,
  database: Pick<Database, 'query'>,
  changes: Pick<Changes, 'follow'>,
  log: Pick<Log, 'warn' | 'info'>,
) {
  for (const unknown of await describeUnknownSettings(database, config.stopped)) log.warn(unknown);
  const fixed = stoppedHere(config);
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
    /** The switches of Postgres as last read, and those of the environment. */
    current: () => current,
    /** Takes over what a change in this process has left, unless a later change is known. */
    take(changed: Switches): void {
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
}: Pick<Config, 'stopped' | 'RISK_MARKET'>): ReadonlyMap<string, Stop> {
  const stopped_at = new Date().toISOString();
  return new Map(
    stopped
      .filter((setting) => setting.market === market)
      .map(({ name, scope }): [string, Stop] => {
        const reason = `${name}=false`;
        return [
          scope,
          { reason, message: null, stopped_by: 'environment', stopped_at, ends_at: null },
        ];
      }),
  );
}
