/** `risk markets …`: makes markets and their roles in the database; shows a market over a running API. */

import { nameOf } from '../../core/domain/control.ts';
import type { LimitUnit, Rate } from '../../core/domain/control-kinds.ts';
import { MARKET } from '../../core/domain/corridor.ts';
import { changeControls } from '../../core/store/controls/controls.ts';
import { type MarketMaking, makeMarket } from '../../core/store/make-market.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import { type CommandContext, UsageError } from '../../kit/command/command.ts';
import { needed, type ValuesOf, whole } from '../../kit/command/options.ts';
import { commandOf, written } from '../../kit/command/rows.ts';
import { byCommand, ownerUrl } from '../../kit/command/stores.ts';
import { type Environment, isCorridorList } from '../../kit/config/config.ts';
import { isMarketName } from '../../kit/config/market-settings.ts';
import type { Database } from '../../kit/database/pool.ts';
import { firstLimitsOf } from './first-limits.ts';
import { tellControls } from './say.ts';
import { makeAuditor } from './store/grant-auditor.ts';
import { grantMarket, makeAnalytics } from './store/grant-market.ts';

const ROLE = /^[a-z][a-z0-9_]{0,62}$/;
const PASSWORD = /^[!-~]{16,256}$/;
const CONNECTIONS_MAX = 10_000;
/** Connections of a role that only reads. Larger: its readers may take more of Postgres; smaller: more of them wait. */
const READER_CONNECTIONS = 5;

/** Connections of a market's role: market_0 has the larger share. */
const connectionsOf = (market: string) => (market === 'market_0' ? 500 : 250);

/** Parts of each action's work with the owner role. */
const workOf = (action: string, { config, output }: CommandContext) => ({
  config,
  url: ownerUrl(config),
  by: byCommand(`markets ${action}`),
  onProgress: output.note,
});

const MAKES = 'Make a market, with first limits of requests and inference';
const CORRIDORS = { '--corridors LIST': needed('Its corridors, as JP-KR,KR-JP') } as const;
const create = written('NAME', MAKES, CORRIDORS, async ({ values, words: [name] }, context) => {
  const { output } = context;
  const market = marketName(name);
  const corridors = corridorsOption(values.corridors);
  const making: MarketMaking = {
    ...workOf('create', context),
    market,
    corridors,
  };
  // May be run again: it goes on where it stopped, and changes no limit that is there.
  const { applied, partitions } = await makeMarket(making, async (database) => {
    await freeSeededCorridors(database, making);
    for (const [kind, rate] of firstLimitsOf(market))
      await setFirstLimit(database, making, kind, rate);
  });
  output.value({ market, applied, partitions, corridors }, [
    `${market} has the corridors ${corridors.join(', ')}`,
    ...firstLimitsOf(market).map(
      ([kind, { ratePerSecond, burst }]) =>
        `its first limit of ${kind}: ${ratePerSecond} a second, ${burst} at once`,
    ),
    `give it a role of its own: risk markets grant ${market}`,
  ]);
});

/** @param name of the role, and the number of its connections, without the options */
const roleOptions = (name: string, most: string | number) => ({
  '--role ROLE': `Name of the role (${name})`,
  '--connections N': whole(
    `Most connections of the role (${most})`,
    { min: 1, max: CONNECTIONS_MAX },
    undefined,
  ),
  '--password-from VARIABLE':
    'Variable of the environment with the password; without it one is made, and printed once',
});
type RoleValues = ValuesOf<ReturnType<typeof roleOptions>>;

function newRole(values: RoleValues, environment: Environment, name: string, most: number) {
  const { role = name, connections: connectionsMax = most } = values;
  if (!ROLE.test(role))
    throw new UsageError(`--role must be small letters, digits and _, not '${role}'`);
  return { role, connectionsMax, password: passwordFrom(environment, values['password-from']) };
}

const shownOnce = (password: string | null) =>
  password === null ? [] : [password, 'the line above is shown once'];

const GRANTS = 'Give a market a Postgres role that reaches nothing else';
const OWNER = roleOptions('that of the market', '250; market_0: 500');
const grant = written('NAME', GRANTS, OWNER, async ({ values, words: [name] }, context) => {
  const { environment, output } = context;
  const market = marketName(name);
  const role = newRole(values, environment, market, connectionsOf(market));
  const granted = await grantMarket({ ...role, ...workOf('grant', context), market });
  const made = { market, role: role.role, connections_max: role.connectionsMax };
  output.value({ ...made, ...granted }, [
    ...shownOnce(granted.password),
    `${role.role} owns ${market} (${granted.moved} objects moved) and reaches nothing else`,
    `start the processes of ${market} with ${role.role} in DATABASE_URL`,
  ]);
});

/** Prints a role that only reads. @param reads what the role reads, in a sentence */
const showReader = (
  { output }: Pick<CommandContext, 'output'>,
  role: string,
  made: { readonly password: string | null; readonly isLogged: boolean },
  of: { readonly market: string } | { readonly markets: readonly string[] },
  reads: string,
) =>
  output.value({ role, ...of, password: made.password, is_logged: made.isLogged }, [
    ...shownOnce(made.password),
    `${role} reads ${reads}`,
    made.isLogged
      ? 'Postgres logs its statements'
      : `to log its statements, have a superuser run: alter role "${role}" set log_statement = 'all'`,
  ]);

const READS = 'Make a role that reads the scores of these markets and nothing else';
const READER = roleOptions('analytics', READER_CONNECTIONS);
const analytics = written('NAME…', READS, READER, async ({ values, words: names }, context) => {
  const [first, ...others] = names.map(marketName);
  const markets = [marketName(first), ...others] as const;
  const role = newRole(values, context.environment, 'analytics', READER_CONNECTIONS);
  const made = await makeAnalytics({ ...role, ...workOf('analytics', context), markets });
  const reads = `analytics.scores of ${markets.join(', ')} and nothing else`;
  showReader(context, role.role, made, { markets }, reads);
});

const AUDITS = 'Make a role that reads one market without secrets, and writes nothing';
const AUDITOR = roleOptions('NAME_auditor', READER_CONNECTIONS);
const auditor = written('NAME', AUDITS, AUDITOR, async ({ values, words: [name] }, context) => {
  const market = marketName(name);
  const role = newRole(values, context.environment, `${market}_auditor`, READER_CONNECTIONS);
  const made = await makeAuditor({ ...role, ...workOf('auditor', context), market });
  const reads = `${market} without its secrets, and writes nothing`;
  showReader(context, role.role, made, { market }, reads);
});

function marketName(name = ''): string {
  if (isMarketName(name)) return name;
  throw new UsageError(`NAME must be a name as market_1, not '${name}'`);
}

function corridorsOption(text: string): string[] {
  if (isCorridorList(text)) return [...new Set(text.split(','))];
  throw new UsageError(`--corridors must be corridors as JP-KR,KR-JP, not '${text}'`);
}

function passwordFrom(environment: Environment, variable: string | undefined): string | undefined {
  if (variable === undefined) return undefined;
  const password = environment[variable];
  if (password !== undefined && PASSWORD.test(password)) return password;
  throw new UsageError(
    `--password-from must name a variable with 16 to 256 visible ASCII characters: ${variable} has none`,
  );
}

export const command = commandOf({
  name: 'markets',
  summary: 'Makes markets and their roles, shows how one stands, and checks one before its launch.',
  notes: `create, grant, analytics and auditor need RISK_ADMIN_DATABASE_URL, or else DATABASE_URL, and may be run again: they go on where they stopped.

Example: risk markets show market_0`,
  document: async () => (await import('./routes.ts')).document,
  actions: {
    create,
    grant,
    analytics,
    auditor,
    show: { operation: 'readMarket', tell: tellControls },
    check: { operation: 'checkMarket' },
    drill: { operation: 'recordDrill', words: { DRILL: 'drill', TEXT: 'note' } },
  },
});

/** The first market of a database is seeded with corridors; without a transaction the market keeps those that it was given. */
async function freeSeededCorridors(
  { write }: Database,
  { market, corridors }: MarketMaking,
): Promise<void> {
  const text = `update shared.corridors set market = null
                 where market = $1 and corridor <> all ($2::text[]) and not exists (select from market.transactions)`;
  await write({ name: 'free-seeded-corridors', text }, [market, corridors]);
}

async function setFirstLimit(
  database: Database,
  { by }: MarketMaking,
  unit: LimitUnit,
  { ratePerSecond, burst }: Rate,
): Promise<void> {
  const control = {
    kind: `limit-${unit}`,
    scope: MARKET,
    value: { rate_per_second: ratePerSecond, burst },
    reason: 'first limit of a new market',
    message: null,
    ends_at: null,
    set_by: 'risk markets create',
  } as const;
  await changeControls(database, false, async (query, before, { set }) => {
    if (before.inForce.get(control.kind)?.has(MARKET)) return;
    await set(control);
    const subject = nameOf(control);
    await recordChange(query, by, { action: 'control.set', subject, before: null, after: control });
  });
}
