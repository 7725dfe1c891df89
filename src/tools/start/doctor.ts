/**
 * `risk doctor`: looks at this machine and at the services that the engine would use, and changes nothing.
 * Exit code 1 when something must be mended.
 */
import {
  type Command,
  type CommandContext,
  EXIT,
  parseArguments,
} from '../../kit/command/command.ts';
import { openCommandDatabase, openCommandRedis } from '../../kit/command/stores.ts';
import { readReach } from '../../kit/database/market-reach.ts';
import { missingMigrations } from '../../kit/database/migrations/schema-version.ts';
import { countConnections } from '../../kit/database/open-database.ts';
import type { Database } from '../../kit/database/pool.ts';
import { readPostgresFacts } from '../../kit/database/server-facts.ts';
import { describeUnknownSettings } from '../../kit/database/unknown-switch-settings.ts';
import { readRedisFacts } from '../../kit/redis/connection.ts';
import { serviceAccount } from './services/account.ts';
import { readEngineFile } from './services/engine-file.ts';
import { findPostgres } from './services/postgres.ts';
import { findRedis } from './services/redis.ts';

const NODE_MAJOR_MIN = 24;
const POSTGRES_MAJORS = { min: 15, max: 18 };
const REDIS_MAJOR_MIN = 7;
/** Beyond this the two clocks disagree enough to show in ages and latencies. */
const CLOCK_SKEW_MS_MAX = 1000;
const MEBIBYTE = 1024 * 1024;

export type Finding = {
  readonly check: string;
  /** `warn` works but is not recommended; `fail` must be mended. */
  readonly state: 'ok' | 'warn' | 'fail';
  readonly detail: string;
};

/** A check that knows where the engine keeps what. */
type Check = (context: CommandContext) => Promise<Finding[]>;

export const createCommand = (checks: Readonly<Record<string, Check>>): Command => ({
  name: 'doctor',
  summary: 'Checks this machine and the stores; says what to mend.',
  usage: `risk doctor [--json]

Checks the Node that runs, the data folder, Postgres (version, durability, schema, clock,
variables that stop a market or corridor it does not have), Redis (version, eviction, persistence), the log of evidence and,
where KAFKA_URL is set, Kafka (brokers, topics, the group of the workers). Reads only. Exit code 1 when something must be mended.`,
  run: async (args, context) => {
    parseArguments(args, {});
    const { config, output } = context;
    const findings = [
      checkNode(),
      checkEngine(config.RISK_DATA_DIR),
      ...(await guarded('postgres', () => checkPostgres(context))),
      ...(await guarded('redis', () => checkRedis(context))),
    ];
    for (const [name, check] of Object.entries(checks))
      findings.push(...(await guarded(name, () => check(context))));
    output.table(['check', 'state', 'detail'], findings);
    return findings.some(({ state }) => state === 'fail') ? EXIT.failed : EXIT.fine;
  },
});

function finding(
  check: string,
  fine: boolean,
  detail: string,
  otherwise: 'warn' | 'fail' = 'fail',
) {
  return { check, state: fine ? 'ok' : otherwise, detail } as const;
}

/** A check that cannot be made is reported as a finding, and the command goes on. */
async function guarded(check: string, find: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await find();
  } catch (error) {
    return [finding(check, false, error instanceof Error ? error.message : String(error))];
  }
}

function checkNode(): Finding {
  const major = Number(process.versions.node.split('.')[0]);
  return finding('node', major >= NODE_MAJOR_MIN, `Node ${process.versions.node}`, 'warn');
}

function checkEngine(dataDir: string): Finding {
  const engine = readEngineFile(dataDir);
  const detail = engine === undefined ? 'no engine runs here' : `an engine runs, pid ${engine.pid}`;
  return finding('data folder', true, `${dataDir}: ${detail}`);
}

async function checkPostgres(context: CommandContext): Promise<Finding[]> {
  const { config } = context;
  if (config.DATABASE_URL === undefined) {
    const program = await findPostgres(serviceAccount());
    const detail = `DATABASE_URL is not set; npm start would run PostgreSQL ${program.major}`;
    return [finding('postgres', true, detail)];
  }
  await using database = openCommandDatabase(context, 'doctor');
  const askedAtMs = Date.now();
  const facts = await readPostgresFacts(database);
  const skewMs = Math.round(facts.nowMs - (askedAtMs + Date.now()) / 2);
  const { major, version, fsync, synchronousCommit } = facts;
  const durable = fsync === 'on' && synchronousCommit !== 'off';
  const missing = await missingMigrations(database).catch(() => ['all of it']);
  const { min, max } = POSTGRES_MAJORS;
  const isMigrated = missing.length === 0;
  const unknown = isMigrated ? await describeUnknownSettings(database, config.stopped) : [];
  const ofApi = countConnections(config).api;
  return [
    finding('postgres version', major >= min && major <= max, `${version}; ${min} to ${max} work`),
    finding(
      'postgres durability',
      durable,
      `fsync ${fsync}, synchronous_commit ${synchronousCommit}`,
    ),
    finding('postgres role', !facts.inRecovery, facts.inRecovery ? 'a replica' : 'a primary'),
    finding(
      'schema',
      isMigrated,
      isMigrated ? config.RISK_MARKET : `missing ${missing.join(', ')}: risk migrate`,
    ),
    finding('clock', Math.abs(skewMs) <= CLOCK_SKEW_MS_MAX, `differs by ${skewMs} ms`, 'warn'),
    finding(
      'connections',
      facts.connectionsMax - facts.connectionsOpen >= ofApi,
      `${facts.connectionsOpen} of ${facts.connectionsMax} in use, ${ofApi} for an API`,
      'warn',
    ),
    ...(isMigrated ? [await checkReach(database, config.RISK_MARKET)] : []),
    ...unknown.map((detail) => finding('switches', false, detail, 'warn')),
  ];
}

async function checkReach(database: Database, market: string): Promise<Finding> {
  const { role, markets, writesShared, strays } = await readReach(database, market);
  const reached = [...markets, ...(writesShared ? ['shared'] : [])].join(', ');
  if (reached !== '') {
    const why = `markets are not separated: ${role} reaches ${reached}. Where several markets share the database, run risk markets grant ${market}`;
    return finding('markets', false, why, 'warn');
  }
  const lost = `${role} does not own ${strays.join(', ')}: risk markets grant ${market}`;
  const isWhole = strays.length === 0;
  return finding('markets', isWhole, isWhole ? `${role} reaches ${market} alone` : lost);
}

async function checkRedis(context: CommandContext): Promise<Finding[]> {
  const { config, environment, signal, output } = context;
  if (config.REDIS_URL === undefined) {
    const onProgress = (text: string) => output.note(text);
    const search = { account: serviceAccount(), environment, onProgress, signal };
    const source = await findRedis(search);
    const native = source.kind === 'native';
    const what = native ? source.program : 'Valkey in WebAssembly, which keeps nothing on disk';
    const detail = `REDIS_URL is not set; npm start would run ${what}`;
    return [finding('redis', native, detail, 'warn')];
  }
  using connection = await openCommandRedis(context);
  const facts = await readRedisFacts(connection.redis);
  const used = `${Math.round(facts.memoryUsed / MEBIBYTE)} MiB used`;
  const bound = facts.memoryMax === 0 ? 'no bound' : `of ${facts.memoryMax / MEBIBYTE} MiB`;
  return [
    finding('redis version', facts.major >= REDIS_MAJOR_MIN, facts.version),
    finding('redis eviction', facts.evictionPolicy === 'noeviction', facts.evictionPolicy),
    finding('redis memory', facts.memoryMax > 0, `${used} ${bound}`, 'warn'),
    finding(
      'redis persistence',
      facts.appendOnly,
      facts.appendOnly ? 'append-only file' : 'none: streams are rebuilt after a loss',
      'warn',
    ),
  ];
}
