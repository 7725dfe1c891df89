/**
 * Controls in Postgres: a row each. A statement that stores scores locks the table in share mode until its commit, so a change
 * waits for stores under way, and no later store misses it, whatever its process knows.
 */

import { MARKETS } from '../../../kit/database/market-reach.ts';
import { inMarket } from '../../../kit/database/market-schema.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf, timeText } from '../../../kit/database/statement.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { byKind, type Control, type Controls } from '../../domain/control.ts';
import { type Kind, kindOf } from '../../domain/control-kinds.ts';
import { type CorridorSettings, DEFAULT_SETTINGS } from '../../domain/corridor.ts';
import { ELSEWHERE, SETTINGS } from '../corridors/settings.ts';
import { FIELDS, SLOTS, type StoredFields, toFields } from '../metadata-fields/metadata-fields.ts';

const among = onlyOf<{ corridors: string[] }, [corridors: readonly string[]]>(
  'stopped-among',
  'select market.stopped_among($1::text[]) as corridors',
);

/** The corridors among these of which no score may be stored; the answer stays true until the end of the database transaction. */
export async function stoppedAmong(query: Query, corridors: readonly string[]): Promise<string[]> {
  return (await among(query, corridors)).corridors;
}

type Row = {
  readonly version: number;
  readonly controls: readonly Control[];
  readonly settings: Readonly<Record<string, CorridorSettings | null>>;
  readonly elsewhere: Readonly<Record<string, string>>;
  readonly fields: StoredFields;
  readonly slots: Controls['slots'];
};

/** A condition: the control has not ended, by the clock of Postgres. */
export const IN_FORCE = `coalesce(ends_at, 'infinity') > clock_timestamp()`;

const CONTROLS = `(select coalesce(jsonb_agg(to_jsonb(c) - 'holds_scores' order by kind, scope), '[]')
    from market.controls c where ${IN_FORCE})`;
const VERSION = '(select coalesce(max(version), 0) from market.controls)';

const read = onlyOf<Row>(
  'read-controls',
  `select ${VERSION}::float8 as version, ${CONTROLS} as controls, ${SETTINGS} as settings, ${ELSEWHERE} as elsewhere, ${FIELDS} as fields, ${SLOTS} as slots`,
);

/** An expression: all that is read. */
export const CONTROLS_MARK = `(select md5(concat_ws(' ', ${VERSION}, ${CONTROLS}, ${SETTINGS}, ${ELSEWHERE}, ${SLOTS})))`;

/** Leaves the controls as they are until the end of the database transaction. */
export const lockControls = rowsOf('lock-controls', 'lock table market.controls in share mode');

/** Locks a control that is in force until the end of the database transaction, so that nobody ends it meanwhile. */
export const lockControl = firstOf<{ setAt: string }, [kind: Kind, scope: string]>(
  'lock-control',
  `select ${timeText('set_at')} as "setAt" from market.controls
    where kind = $1 and scope = $2 and ${IN_FORCE} for no key update`,
);

export async function readControls({ query }: Pick<Database, 'query'>): Promise<Controls> {
  return toControls(await read(query));
}

function toControls({ version, controls, settings, elsewhere, fields, slots }: Row): Controls {
  const all = controls.map((control) => ({
    ...control,
    set_at: toTime(control.set_at),
    ends_at: control.ends_at && toTime(control.ends_at),
  }));
  return {
    version,
    inForce: byKind(all),
    settings: new Map(
      Object.entries(settings).map(([corridor, own]) => [corridor, own ?? DEFAULT_SETTINGS]),
    ),
    elsewhere: new Map(Object.entries(elsewhere)),
    fields: toFields(fields),
    slots,
  };
}

const toTime = (text: string) => new Date(text).toISOString();

const SET = `insert into market.controls (kind, scope, value, reason, message, ends_at, set_by, holds_scores, version)
  values ($1, $2, $3::jsonb, $4, $5, $6, $7, $8, ${VERSION} + 1)
  on conflict (kind, scope) do update
     set value = excluded.value, reason = excluded.reason, message = excluded.message, ends_at = excluded.ends_at,
         set_by = excluded.set_by, set_at = clock_timestamp(), holds_scores = excluded.holds_scores,
         version = excluded.version`;
// A time that is rounded up would lie in the future.
const END = `update market.controls
    set ends_at = date_trunc('milliseconds', clock_timestamp()), version = ${VERSION} + 1
  where kind = $1 and scope = $2`;
/** The row of the last change stays, as its version is the highest. */
const FORGET = `delete from market.controls
  where ends_at < clock_timestamp() - interval '1 day' and version < ${VERSION}`;
const LOCK = 'lock table market.controls in share row exclusive mode';

const own = onlyOf<{ pid: number }>('own-session', 'select pg_backend_pid() as pid');
const listMarkets = rowsOf<{ market: string; isOurs: boolean }>(
  'list-markets',
  `select market::text, has_schema_privilege(oid, 'usage') as "isOurs" from (${MARKETS}) as markets order by market`,
);

/** @throws Failure where another market has a role of its own, so that this role can stop no market */
async function marketsOfAll(query: Query): Promise<string[]> {
  const markets = await listMarkets(query);
  const others = markets.filter(({ isOurs }) => !isOurs).map(({ market }) => market);
  if (others.length === 0) return markets.map(({ market }) => market);
  const why = `another role has ${others.join(', ')}: change the scope market at an API of each market`;
  throw new Failure('conflict', 'MARKETS_SEPARATED', why);
}

/** Longer: a change waits longer for a slow store. Shorter: more sessions that store scores are ended, and their batches redelivered. */
const STORE_WAIT_MS = 500;
const END_EVERY_MS = 100;

const endBlockersStatement = {
  name: 'end-blocking-stores',
  text: `select pg_terminate_backend(pid) from unnest(pg_blocking_pids($1)) as pid
           join pg_stat_activity using (pid) where application_name like 'risk-worker%'`,
};

export type NewControl = Pick<
  Control,
  'kind' | 'scope' | 'value' | 'reason' | 'message' | 'ends_at' | 'set_by'
>;
type Named = Pick<Control, 'kind' | 'scope'>;

/** Each function returns the controls after its change. */
type ControlChange = {
  readonly set: (control: NewControl) => Promise<Controls>;
  readonly end: (control: Named) => Promise<Controls>;
};

/** Runs `work` as `changeControlsIn` does, in a database transaction of its own. */
export const changeControls = <T>(
  database: Pick<Database, 'query' | 'transaction'>,
  isOfAll: boolean,
  work: (query: Query, before: Controls, change: ControlChange) => Promise<T>,
): Promise<T> =>
  database.transaction((query) =>
    changeControlsIn(query, database, isOfAll, (before, change) => work(query, before, change)),
  );

/**
 * Runs `work` with the right to change controls until the end of the database transaction: waits for stores under way, and after
 * 500 ms ends the stores that are left.
 * @param isOfAll whether the change is made in each market of the database
 */
export async function changeControlsIn<T>(
  query: Query,
  database: Pick<Database, 'query'>,
  isOfAll: boolean,
  work: (before: Controls, change: ControlChange) => Promise<T>,
): Promise<T> {
  const { pid } = await own(query);
  const markets = isOfAll ? await marketsOfAll(query) : null;
  const write = async (text: string, values: readonly unknown[] = []) => {
    const texts = markets?.map((market) => inMarket(text, market)) ?? [text];
    for (const text of texts) await query({ text }, values);
  };
  await endingBlockers(database, pid, () => write(LOCK));
  await write(FORGET);
  const now = async () => toControls(await read(query));
  return await work(await now(), {
    async set({ kind, scope, value, reason, message, ends_at, set_by }) {
      const holds = kindOf(kind).holdsScores === true;
      await write(SET, [kind, scope, toJson(value), reason, message, ends_at, set_by, holds]);
      return await now();
    },
    async end({ kind, scope }) {
      await write(END, [kind, scope]);
      return await now();
    },
  });
}

const toJson = (value: object | null) => value && JSON.stringify(value);

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
