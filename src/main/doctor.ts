/**
 * `risk doctor`: looks at this machine and at the services that the engine would use, and changes nothing.
 * Exit code 1 when something must be mended.
 */
import { MARKET, residencyProblem } from '../core/domain/corridor.ts';
import { readControls } from '../core/store/controls/controls.ts';
import { countMonthLocks } from '../core/store/partitions/partitions.ts';
import { areTablesLate, findNewer, listTableDays } from '../core/store/scorecards/find-tables.ts';
import { readTable } from '../core/store/scorecards/scorecards.ts';
import { marketKeys } from '../core/stream/keys.ts';
import { type Command, type CommandContext, EXIT, parseArguments } from '../kit/command/command.ts';
import { openCommandDatabase, openCommandRedis } from '../kit/command/stores.ts';
import type { Config } from '../kit/config/config.ts';
import { readReach } from '../kit/database/market-reach.ts';
import { countConnections } from '../kit/database/open-database.ts';
import { SCHEMA_MISSING } from '../kit/database/pg-failure.ts';
import type { Database } from '../kit/database/pool.ts';
import { encodingFault, readPostgresFacts } from '../kit/database/server-facts.ts';
import { describeUnknownStops } from '../kit/database/unknown-stops.ts';
import { readRedisFacts } from '../kit/redis/facts.ts';
import { Failure, toError } from '../kit/words/failure.ts';
import { firstLimitsOf, lineOf } from '../rooms/corridors/first-limits.ts';
import { toLabelsJson } from '../rooms/models/scorecards/answers.ts';
import { shadowDaysFor } from '../rooms/models/store/trees.ts';
import { readEngineFile } from '../tools/start/services/engine-file.ts';
import { checkEvidence } from './check-evidence.ts';
import { checkKafka } from './check-kafka.ts';
import { type Finding, finding } from './finding.ts';
import { refusedByPostgres, refusedByRedis } from './rights.ts';
import { missingMigrations } from './schema-version.ts';

const NODE_MAJOR_MIN = 24;
const POSTGRES_MAJORS = { min: 15, max: 18 };
const REDIS_MAJOR_MIN = 7;
/** Beyond this the two clocks disagree enough to show in ages and latencies. */
const CLOCK_SKEW_MS_MAX = 1000;
/** A server that is only busy, as it may be where somebody asks the doctor, takes seconds to connect. */
const CONNECT_MS_MIN = 10_000;
const MEBIBYTE = 1024 * 1024;

export const command: Command = {
  name: 'doctor',
  summary: 'Checks this machine and the stores; says what to mend.',
  usage: `risk doctor [--json]

Checks the Node that runs, the data folder, Postgres (version, durability, encoding, schema, clock, maturity of labels,
variables that stop a market or corridor it does not have), Redis (version, eviction, persistence), the log of evidence and,
where KAFKA_URL is set, Kafka (brokers, topics, the group of the workers). Reads only. Exit code 1 when something must be mended.`,
  run: async (args, context) => {
    parseArguments(args, {});
    const { config, output } = context;
    const { node } = process.versions;
    const engine = readEngineFile(config.RISK_DATA_DIR);
    const runs = engine === undefined ? 'no engine runs here' : `an engine runs, pid ${engine.pid}`;
    const findings: Finding[] = [
      finding('node', Number.parseInt(node, 10) >= NODE_MAJOR_MIN, `Node ${node}`, 'warn'),
      finding('data folder', true, `${config.RISK_DATA_DIR}: ${runs}`),
      ...checkShadows(config),
    ];
    for (const [name, check] of Object.entries(CHECKS)) {
      // A check that cannot be made is reported as a finding, and the command goes on.
      const failed = (error: unknown) => [finding(name, false, toError(error).message)];
      findings.push(...(await check(context).catch(failed)));
    }
    output.table(['check', 'state', 'detail'], findings);
    return findings.some(({ state }) => state === 'fail') ? EXIT.failed : EXIT.fine;
  },
};

const CHECKS = { postgres: checkPostgres, redis: checkRedis, kafka: checkKafka };

async function checkPostgres(context: CommandContext): Promise<Finding[]> {
  const { config } = context;
  if (config.DATABASE_URL === undefined) {
    return [finding('postgres', true, 'DATABASE_URL is not set; npm start runs a Postgres')];
  }
  const connectTimeoutMs = Math.max(config.RISK_CONNECT_TIMEOUT_MS, CONNECT_MS_MIN);
  await using database = openCommandDatabase(context, 'doctor', { connectTimeoutMs });
  const askedAtMs = Date.now();
  const facts = await readPostgresFacts(database.query);
  const skewMs = Math.round(facts.nowMs - (askedAtMs + Date.now()) / 2);
  const { major, version, fsync, synchronousCommit, connectionsOpen, connectionsMax } = facts;
  const misencoded = encodingFault(facts.encoding);
  const isDurable = fsync === 'on' && synchronousCommit !== 'off';
  const durability = `fsync ${fsync}, synchronous_commit ${synchronousCommit}`;
  const missing = await missingMigrations(database).catch((error: unknown) => {
    // A statement that fails for another reason says nothing of the schema.
    if (error instanceof Failure && error.code === SCHEMA_MISSING) return ['all of it'];
    throw error;
  });
  const isMigrated = missing.length === 0;
  const schema = isMigrated ? config.RISK_MARKET : `missing ${missing.join(', ')}: risk migrate`;
  const unknown = isMigrated ? await describeUnknownStops(database, config) : [];
  const refused = isMigrated ? await refusedByPostgres(database, config.RISK_MARKET) : [];
  const misplaced = isMigrated ? await findMisplaced(database, config) : [];
  const ofApi = countConnections(config).api;
  const open = `${connectionsOpen} of ${connectionsMax} in use, ${ofApi} for an API`;
  const { min, max } = POSTGRES_MAJORS;
  return [
    finding('postgres version', major >= min && major <= max, `${version}; ${min} to ${max} work`),
    finding('postgres durability', isDurable, durability),
    finding('postgres encoding', misencoded === null, misencoded ?? facts.encoding),
    finding('postgres role', !facts.inRecovery, facts.inRecovery ? 'a replica' : 'a primary'),
    finding('schema', isMigrated, schema),
    finding('clock', Math.abs(skewMs) <= CLOCK_SKEW_MS_MAX, `differs by ${skewMs} ms`, 'warn'),
    finding('connections', connectionsMax - connectionsOpen >= ofApi, open, 'warn'),
    ...unknown.map((detail) => finding('controls', false, detail, 'warn')),
    ...misplaced.map((detail) => finding('residency', false, detail)),
    ...refused.map((detail) => finding('postgres rights', false, detail)),
    ...(isMigrated ? [await checkReach(database, config.RISK_MARKET)] : []),
    ...(isMigrated ? await checkLimits(database, config.RISK_MARKET) : []),
    ...(isMigrated ? [await checkLocks(database)] : []),
    ...(isMigrated ? await checkTables(database, config.RISK_LABEL_MATURITY_DAYS) : []),
    ...(isMigrated ? await checkEvidence(database, config.RISK_EVIDENCE_KEYS) : []),
  ];
}

/** Corridors whose data must stay elsewhere. */
async function findMisplaced(database: Database, { RISK_RESIDENCY }: Config): Promise<string[]> {
  const { settings } = await readControls(database);
  return [...settings].flatMap(
    ([corridor, own]) => residencyProblem(corridor, own, RISK_RESIDENCY) ?? [],
  );
}

async function checkReach(database: Database, market: string): Promise<Finding> {
  const { role, markets, writesShared, strays } = await readReach(database.query, market);
  const reached = [...markets, ...(writesShared ? ['shared'] : [])].join(', ');
  if (reached !== '') {
    const why = `markets are not separated: ${role} reaches ${reached}. Where several markets share the database, run risk markets grant ${market}`;
    return finding('markets', false, why, 'warn');
  }
  const lost = `${role} does not own ${strays.join(', ')}: risk markets grant ${market}`;
  const isWhole = strays.length === 0;
  return finding('markets', isWhole, isWhole ? `${role} reaches ${market} alone` : lost);
}

/** Offers the first limits that the market lacks. */
async function checkLimits(database: Database, market: string): Promise<Finding[]> {
  const { inForce } = await readControls(database);
  return firstLimitsOf(market).map(([unit, rate]) => {
    const control = inForce.get(`limit-${unit}`)?.get(MARKET);
    const { rate_per_second: own } = control?.value ?? {};
    const detail = control ? `${own} a second` : `the market has none: ${lineOf(unit, rate)}`;
    return finding(`limit of ${unit}`, control !== undefined, detail, 'warn');
  });
}

async function checkLocks({ query }: Database): Promise<Finding> {
  const { months, relations, slots } = await countMonthLocks(query);
  const isRoomy = relations <= slots / 2;
  const cure = isRoomy ? '' : ': raise max_locks_per_transaction, or archive months';
  const detail = `${months} months have ${relations} tables and indexes; the server has ${slots} lock slots${cure}`;
  return finding('month locks', isRoomy, detail, 'warn');
}

function checkShadows(config: Config): Finding[] {
  const { RISK_SHADOW_RETENTION_DAYS: days, RISK_LABEL_MATURITY_DAYS: maturity } = config;
  const needed = shadowDaysFor(maturity);
  if (days >= needed) return [];
  const why = `opinions of shadows end after ${days} days, so that trees are compared over less than two matured weeks and may never be ahead: set RISK_SHADOW_RETENTION_DAYS to ${needed}`;
  return [finding('shadow retention', false, why, 'warn')];
}

async function checkTables({ query }: Database, days: number): Promise<Finding[]> {
  const newer = await findNewer(query);
  if (newer !== undefined) return [finding('scorecard', false, newer.said, 'warn')];
  const late = 'no table is of today or yesterday: start risk trainer';
  const found = (await areTablesLate(query)) ? [finding('trainer', false, late, 'warn')] : [];
  const newest = (await listTableDays(query)).at(-1);
  const stored = newest && (await readTable(query, newest.serial));
  if (stored === undefined) return found;
  const { label_maturity_days_proposed: proposed } = toLabelsJson(stored.table.learnt.labelled);
  if (proposed === null) return found;
  const isWaited = proposed <= days;
  const cure = isWaited ? '' : `: set RISK_LABEL_MATURITY_DAYS to ${proposed}`;
  const detail = `95 % of labels come within ${proposed} days, and ${days} are waited for${cure}`;
  return [...found, finding('label maturity', isWaited, detail, 'warn')];
}

async function checkRedis(context: CommandContext): Promise<Finding[]> {
  if (context.config.REDIS_URL === undefined) {
    return [finding('redis', true, 'REDIS_URL is not set; npm start runs a Redis')];
  }
  using connection = await openCommandRedis(context);
  const refused = await refusedByRedis(connection.redis, context.config.RISK_MARKET);
  // Redis may refuse the facts as well.
  if (refused.length > 0) return refused.map((detail) => finding('redis rights', false, detail));
  const facts = await readRedisFacts(connection.redis);
  // A Redis that answers reads may refuse writes; this write leaves a key as it is.
  const { probe } = marketKeys(context.config.RISK_MARKET);
  const written = connection.redis.set(probe, '1', 'KEEPTTL', 'XX');
  const refusal = await written.then(() => undefined, toError);
  const used = `${Math.round(facts.memoryUsed / MEBIBYTE)} MiB used`;
  const bound = facts.memoryMax === 0 ? 'no bound' : `of ${facts.memoryMax / MEBIBYTE} MiB`;
  const kept = facts.appendOnly ? 'append-only file' : 'none: streams are rebuilt after a loss';
  return [
    finding('redis version', facts.major >= REDIS_MAJOR_MIN, facts.version),
    finding('redis writes', refusal === undefined, refusal?.message ?? 'taken'),
    finding('redis eviction', facts.evictionPolicy === 'noeviction', facts.evictionPolicy),
    finding('redis memory', facts.memoryMax > 0, `${used} ${bound}`, 'warn'),
    finding('redis persistence', facts.appendOnly, kept, 'warn'),
  ];
}
