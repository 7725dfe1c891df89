/** Whether Postgres has room for all processes of a fleet, and whether two servers claim one corridor. */
import { UsageError } from '../../kit/command/command.ts';
import type { Config } from '../../kit/config/config.ts';
import { configsOfMarkets } from '../../kit/config/market-config.ts';
import { MARKETS } from '../../kit/database/market-reach.ts';
import { countConnections, openDatabase } from '../../kit/database/open-database.ts';

/** Processes of a market. */
type Processes = { readonly api: number; readonly worker: number };
/** By market; '' is what every other market has. */
export type Fleet = ReadonlyMap<string, Processes>;

export type Finding = {
  readonly check: string;
  /** `warn` works but is not recommended; `fail` must be mended. */
  readonly state: 'ok' | 'warn' | 'fail';
  readonly detail: string;
};

const PROCESSES_MAX = 1000;
const SHAPE = /^(?:([a-z][a-z0-9_]{0,30}):)?((?:api|worker)=\d{1,4}(?:,(?:api|worker)=\d{1,4})?)$/;

/** @param texts `api=4,worker=3` for every market, `market_1:api=2,worker=1` for one */
export function readFleet(texts: readonly string[]): Fleet {
  const fleet = new Map<string, Processes>();
  for (const text of texts) {
    const [, market = '', counts = ''] = SHAPE.exec(text) ?? [];
    const given = Object.fromEntries(counts.split(',').map((part) => part.split('=')));
    const [api, worker] = [Number(given['api'] ?? 0), Number(given['worker'] ?? 0)];
    if (counts === '' || Math.max(api, worker) > PROCESSES_MAX) {
      const shape = `api=N,worker=N or market_1:api=N,worker=N, N up to ${PROCESSES_MAX}`;
      throw new UsageError(`--fleet must be ${shape}, not '${text}'`);
    }
    if (fleet.has(market)) throw new UsageError(`--fleet names '${market}' twice`);
    fleet.set(market, { api, worker });
  }
  return fleet;
}

type Server = {
  readonly connectionsMax: number;
  readonly reserved: number;
  /** Sessions of others than the engine. */
  readonly others: number;
  readonly markets: readonly {
    readonly market: string;
    readonly role: string;
    /** Connections of the role that owns the market; -1: no limit. */
    readonly roleMax: number;
  }[];
  readonly corridors: readonly { readonly corridor: string; readonly market: string }[];
};

const serverStatement = {
  text: `
    with markets as (${MARKETS})
    select current_setting('max_connections')::int as "connectionsMax",
           current_setting('superuser_reserved_connections')::int
             + coalesce(current_setting('reserved_connections', true)::int, 0) as reserved,
           (select count(*)::int from pg_stat_activity
             where datid is not null and coalesce(backend_type, 'client backend') = 'client backend'
               and application_name not like 'risk-%') as others,
           (select coalesce(json_agg(json_build_object('market', market, 'role', rolname, 'roleMax', rolconnlimit) order by market), '[]')
              from markets join pg_roles r on r.oid = nspowner) as markets,
           (select coalesce(json_agg(json_build_object('corridor', corridor, 'market', market)), '[]')
              from shared.corridors join markets using (market)) as corridors`,
};

async function readServer(config: Config, url: string): Promise<Server> {
  await using database = openDatabase(config, url, 'doctor', { connectionsMax: 1 });
  const [server] = await database.query<Server>(serverStatement);
  if (server === undefined) throw new Error('a select without from gave no row');
  return server;
}

/** @param urls of the servers beside those of the markets that an API serves */
export async function checkFleet(
  config: Config,
  urls: readonly string[],
  fleet: Fleet,
): Promise<Finding[]> {
  const found: Finding[] = [];
  const claims: { readonly corridor: string; readonly by: string; readonly at: string }[] = [];
  const configs = configsOfMarkets(config);
  const ofOne = countConnections(config);
  const counts = new Map(configs.map((own) => [own.RISK_MARKET, countConnections(own)]));
  const primaries = new Set([...configs.flatMap((own) => own.DATABASE_URL ?? []), ...urls]);
  for (const url of primaries) {
    const server = await readServer(config, url);
    const at = nameOf(url);
    const each = (market: string) => ({ ...ofOne, api: (counts.get(market) ?? ofOne).api });
    found.push(...checkBudget(at, server, fleet, each));
    for (const { corridor, market } of server.corridors) {
      claims.push({ corridor, at, by: `${market} of ${at}` });
    }
  }
  for (const replica of new Set(configs.flatMap((own) => own.DATABASE_REPLICA_URL ?? []))) {
    const server = await readServer(config, replica);
    const each = (market: string) => ({ api: (counts.get(market) ?? ofOne).replica, worker: 0 });
    found.push(...checkBudget(nameOf(replica), server, fleet, each));
  }
  for (const [corridor, claimed] of Map.groupBy(claims, (claim) => claim.corridor)) {
    if (claimed.length < 2) continue;
    const detail = `${corridor} is claimed by ${claimed.map(({ by }) => by).join(' and by ')}`;
    found.push({ check: 'corridors', state: 'fail', detail });
  }
  return found;
}

/** The address without user and password. */
function nameOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}

const NONE: Processes = { api: 0, worker: 0 };

/** @param eachOf connections that a process opens there for a market */
function checkBudget(
  at: string,
  { markets, connectionsMax, reserved, others }: Server,
  fleet: Fleet,
  eachOf: (market: string) => Processes,
): Finding[] {
  const needs = markets.map(({ market, role, roleMax }) => {
    const { api, worker } = fleet.get(market) ?? fleet.get('') ?? NONE;
    const each = eachOf(market);
    const ofWorkers = each.worker === 0 ? '' : ` + ${worker} workers × ${each.worker}`;
    const said = `${market}: ${api} APIs × ${each.api}${ofWorkers}`;
    return { market, role, roleMax, said, need: api * each.api + worker * each.worker };
  });
  const total = needs.reduce((sum, { need }) => sum + need, others);
  const room = connectionsMax - reserved;
  const sums = needs.map(({ said, need }) => `${said} = ${need}`).join('; ');
  const detail = `${at}: ${sums}; with ${others} other sessions ${total}, of ${connectionsMax} − ${reserved} reserved = ${room}`;
  const finding = { check: 'fleet', state: total <= room ? 'ok' : 'fail', detail } as const;
  const beyond = needs
    .filter(({ need, roleMax }) => roleMax >= 0 && need > roleMax)
    .map(({ said, need, role, roleMax }): Finding => {
      const why = `${at}: ${said} = ${need}, and the role ${role} may open ${roleMax}`;
      return { check: 'fleet', state: 'fail', detail: why };
    });
  return [finding, ...beyond];
}
