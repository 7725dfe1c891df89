/**
 * A worker process: composition root. Opens Postgres and Redis, hands them to the worker, and closes
 * them in reverse when it has drained.
 */

import { createLimiter } from '../core/accept/limits/limiter.ts';
import type { Controls } from '../core/domain/control.ts';
import type { Market } from '../core/market.ts';
import { bindDeadLetters } from '../core/repair/dead-letter-duty.ts';
import { bindLabelDuty } from '../core/repair/label-duty.ts';
import { bindPartitions } from '../core/repair/partition-duty.ts';
import { bindIngestDuties } from '../core/repair/reconcile-duty.ts';
import { bindTallies } from '../core/repair/tally-duty.ts';
import type { Room, Worker, WorkerRoom } from '../core/room.ts';
import { RULES_ALONE } from '../core/score/judge.ts';
import { watchRules } from '../core/score/rules-in-force.ts';
import { createRates } from '../core/store/amounts/exchange-rates.ts';
import { watchControls, watchLimits } from '../core/store/controls/watch-controls.ts';
import { isMarketOnHold } from '../core/store/partitions/legal-holds.ts';
import { removeForeignSnapshots } from '../core/store/profiles/profile-snapshots.ts';
import { watchRuleSets } from '../core/store/rule-sets/rule-sets.ts';
import { refuseTable } from '../core/store/scorecards/refuse-table.ts';
import { openScoreStore } from '../core/store/scores/scores.ts';
import { loadTransactions } from '../core/store/transactions/read-transactions.ts';
import { ENTRY_READER } from '../core/stream/entries/entry.ts';
import { openReaderConnection } from '../core/stream/group/reader-connection.ts';
import { openKafkaOf } from '../core/stream/kafka/watch-kafka.ts';
import { watchMemory } from '../core/stream/memory/memory.ts';
import { PROFILE_LOGS } from '../core/stream/profiles/profile-logs.ts';
import { watchTables } from '../core/work/day-tables.ts';
import { shareOfSettings } from '../core/work/lanes.ts';
import { openProfiles } from '../core/work/profiles/profiles.ts';
import { profileSources } from '../core/work/profiles/sources.ts';
import { openFlips, openRolloutCounts } from '../core/work/rollout-counts.ts';
import { runWorker as run } from '../core/work/run-worker.ts';
import type { WorkerOptions } from '../core/work/worker.ts';
import { type CommandContext, EXIT } from '../kit/command/command.ts';
import { type Config, type Environment, EXIT_BAD_CONFIGURATION } from '../kit/config/config.ts';
import { followChanges } from '../kit/database/follow-changes.ts';
import { followServerOf, openDatabase, openProbe } from '../kit/database/open-database.ts';
import type { Database } from '../kit/database/pool.ts';
import { createLeadership } from '../kit/duties/leadership.ts';
import { bindPurge } from '../kit/duties/purge.ts';
import type { Duty } from '../kit/duties/run-duties.ts';
import { createWorkerMetrics, type Metrics } from '../kit/metrics/metrics.ts';
import {
  createFailpoint,
  createPoison,
  FAILPOINT_VARIABLE,
  POISON_VARIABLE,
} from '../kit/process/failpoint.ts';
import { nameProcess } from '../kit/process/process-name.ts';
import { openTurns } from '../kit/process/turns.ts';
import { openCommands, type RedisClient, untilReady } from '../kit/redis/connection.ts';
import { openTraces } from '../kit/traces/open-traces.ts';
import { bindGuards, watchGuards, watchStores } from './guards.ts';
import { openLists, openModels, RETENTIONS, ROOMS } from './rooms.ts';
import { waitForSchema } from './schema-version.ts';
import { serveHealth } from './serve-health.ts';
import { createLife } from './vital-signs.ts';

/** Parts that a test may put in place of the engine's own. */
export type WorkerOverrides = Partial<
  Pick<WorkerOptions, 'beforeScore' | 'entries' | 'inputSources' | 'isStopped'>
> & {
  readonly rooms?: readonly Room[];
};

/** How long a worker may read nothing until /livez fails. Shorter: a pause of Redis restarts workers; longer: one that hangs stays longer. */
const QUIET_MS = 10_000;
/** How often a supervisor hears of a worker that lives: several times before it is taken for deaf. */
const TELL_EVERY_MS = 2000;
const NEEDED =
  'DATABASE_URL and REDIS_URL must be set, as a worker starts no services of its own, and RISK_MARKET where RISK_MARKETS is set';
/** Transactions of a market that every worker leaves to another would not be scored. */
const isOfOne = ({ markets }: Config, environment: Environment) =>
  markets.length === 1 || Boolean(environment['RISK_MARKET']);

/** Resolves to the exit code once the worker has drained. */
export async function runWorker(
  { config, log, signal, environment, tellAlive }: CommandContext,
  overrides: WorkerOverrides = {},
): Promise<number> {
  const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = config;
  if (databaseUrl === undefined || redisUrl === undefined || !isOfOne(config, environment)) {
    log.fatal(NEEDED);
    return EXIT_BAD_CONFIGURATION;
  }
  await using traces = await openTraces(config, 'risk-worker', log);
  const metrics = createWorkerMetrics(config.RISK_MARKET);
  using guards = bindGuards(config, metrics, log, 'worker');
  await using resources = new AsyncDisposableStack();
  const { database, probe } = openPools(resources, { config, log, guards }, databaseUrl);
  if (!(await waitForSchema(database, config.RISK_SCHEMA_WAIT_MS, signal))) {
    if (signal.aborted) return EXIT.fine;
    log.fatal('the schema is missing or older than this engine: run `risk migrate`');
    return EXIT.failed;
  }
  const redis = openCommands(redisUrl, config.RISK_REDIS_TIMEOUT_MS);
  resources.defer(() => redis.disconnect());
  const [connection, expressConnection] = openReaders(resources, config, redisUrl, redis);
  // Alive while something happens: a read came back, or a held batch tries again.
  const life = createLife(3 * config.RISK_READ_BLOCK_MS + QUIET_MS);
  const telling = setInterval(() => life.isAlive() && tellAlive?.(), TELL_EVERY_MS);
  resources.defer(() => clearInterval(telling));
  const stated = resources.use(watchStores(probe, redis, config.RISK_MARKET, log));
  const vitals = { ...stated, isAlive: life.isAlive, health: guards.health, draining: signal };
  if (config.RISK_WORKER_PORT > 0) resources.use(await serveHealth(config, metrics, log, vitals));
  await untilReady(redis, config.RISK_REDIS_TIMEOUT_MS);
  resources.use(await watchGuards(guards, probe, redis, config.RISK_MARKET));
  const [failpoint, name] = [createFailpoint(environment[FAILPOINT_VARIABLE]), nameProcess()];
  const leadership = resources.use(createLeadership(database, name, failpoint));
  const seen = { config, log, guards, redis, metrics };
  const { changes, controls, ...kafka } = await followControls(resources, probe, seen);
  const { RISK_MARKET: marketName, RISK_WORKER_READERS: readers } = config;
  const memory = watchMemory(config.RISK_EVENT_BYTES_MAX);
  const market: Market = { name: marketName, ...controls.layout, database, redis, guards, memory };
  const stores = { database, changes, redis, guards, leadership };
  const parts = { config, log, name, ...stores, metrics, controls, ...kafka };
  // All workers of a market share its limits.
  const limits = resources.use(watchLimits(probe, controls.current, 'worker'));
  const limiter = createLimiter(limits, { redis, market: marketName, run: guards.redis.run });
  const { peopleDuties, ...byPeople } = followPeople(probe, parts);
  const ofRooms = await openRooms({ ...parts, ...byPeople, limiter }, probe, overrides.rooms);
  const { worker, onScored, judge, inputSources } = ofRooms;
  const profiles = await openParties(config, market, metrics, controls.current);
  const options: WorkerOptions = {
    name,
    config,
    market,
    metrics,
    log,
    traces,
    failpoint,
    ...kafka,
    reader: connection,
    entries: ENTRY_READER,
    profiles,
    judge,
    inputSources,
    scores: openScoreStore(database, onScored),
    express: {
      reader: expressConnection,
      profiles: { ...profiles, inTurn: profiles.urgently, inLane: openTurns().inTurn },
      // Stores beside the other lane's batch, as a turn is as long as a batch.
      scores: openScoreStore(database, onScored),
    },
    ...byPeople,
    beforeScore: poisonOf(environment),
    random: Math.random,
    nowMs: Date.now,
    elapsedMs: performance.now.bind(performance),
    onSignOfLife: life.sign,
    ...overrides,
  };
  const duties = [...createDuties(worker), ...peopleDuties, ...ofRooms.duties];
  log.info({ name, readers, httpPort: config.RISK_WORKER_PORT }, 'worker starts');
  await run(options, duties, signal);
  log.info({ name }, 'worker has drained');
  return EXIT.fine;
}

/** Opens the pools for work and for the probe, which follow the server of their URL. */
function openPools(
  resources: AsyncDisposableStack,
  { config, log, guards }: Pick<Worker, 'config' | 'log' | 'guards'>,
  url: string,
) {
  const server = resources.use(followServerOf(config, url, 'worker', log));
  const { run: guard } = guards.postgres;
  return {
    database: resources.use(openDatabase(config, url, 'worker', { guard, server })),
    probe: resources.use(openProbe(config, url, 'worker', { server })),
  };
}

/** Opens what the worker follows in Postgres and in Kafka, first of all the controls, which may raise its level. */
async function followControls(
  resources: AsyncDisposableStack,
  probe: Database,
  {
    config,
    log,
    guards,
    ...parts
  }: Pick<Worker, 'config' | 'log' | 'guards' | 'redis' | 'metrics'>,
) {
  const changes = resources.use(followChanges(probe, log));
  const controls = await watchControls(config, probe, changes, log);
  guards.raiseTo(controls.levelByHand, controls.corridors);
  const { RISK_MARKET: market, KAFKA_URL: url } = config;
  return { changes, controls, ...openKafkaOf(url, resources, { ...parts, market, controls, log }) };
}

/** The text of an account is made only where a test needs it. */
function poisonOf(environment: Environment): WorkerOptions['beforeScore'] {
  const poison = createPoison(environment[POISON_VARIABLE]);
  return poison && ((transaction) => poison(transaction.accountId));
}

/** A connection for each lane. */
function openReaders(
  resources: AsyncDisposableStack,
  { RISK_READ_BLOCK_MS: blockMs }: Config,
  redisUrl: string,
  redis: RedisClient,
) {
  const open = () => resources.use(openReaderConnection(redisUrl, blockMs, redis));
  return [open(), open()] as const;
}

/** Parts of a worker that follow what people decide: controls, settings, and rollouts of rule sets. */
function followPeople(
  probe: Database,
  {
    controls: { current, settings, isStopped, isFrozen },
    ...parts
  }: Pick<Worker, 'name' | 'database' | 'changes' | 'log' | 'metrics' | 'controls'>,
) {
  const { database, changes, log } = parts;
  const inForce = watchRuleSets(probe, changes, log);
  const { count: countFlips, duty: shadowDuty } = openFlips(database);
  const { duty: countDuty, ...rolloutCounts } = openRolloutCounts(parts);
  return {
    shareOf: shareOfSettings(settings),
    isStopped,
    isFrozen,
    ruleSets: watchRules(current, inForce),
    tablesOf: watchTables(probe.query, changes, log, refuseTable(database, parts.name)),
    countFlips,
    rolloutCounts,
    peopleDuties: [shadowDuty, countDuty],
  };
}

async function openParties(
  config: Config,
  market: Market,
  metrics: Metrics,
  controls: () => Controls,
) {
  const { query } = market.database;
  await removeForeignSnapshots(query);
  const ttlSeconds = config.RISK_PROFILE_TTL_SECONDS;
  return openProfiles(
    {
      ...{ market, logs: PROFILE_LOGS, metrics, nowMs: Date.now, ttlSeconds },
      slots: () => controls().slots,
      reload: (ids) => loadTransactions(market.database, ids),
    },
    profileSources(query, config.RISK_LABEL_MATURITY_DAYS),
  );
}

/** Additions of a room without a part in a worker. */
const NOTHING: WorkerRoom = { duties: [] };

/** Each room gets the events of all rooms. */
async function openRooms(
  parts: Omit<Worker, 'events' | 'openModels'>,
  probe: Database,
  all: readonly Room[] = ROOMS,
) {
  const events = (await Promise.all(all.map((room) => room.events?.() ?? []))).flat();
  const worker: Worker = { ...parts, events, openModels };
  const rooms = await Promise.all(all.map((room) => room.worker?.(worker) ?? NOTHING));
  const { answers, duties } = await openLists(probe, parts.changes);
  return {
    worker,
    inputSources: { lists: answers, rates: createRates(probe.query) },
    judge: rooms.find((room) => room.judge !== undefined)?.judge ?? RULES_ALONE,
    onScored: rooms.flatMap((room) => room.onScored ?? []),
    duties: [...duties, ...rooms.flatMap((room) => room.duties)],
  };
}

/** Duties of the market, which one worker does at a time. */
function createDuties(worker: Worker): Duty[] {
  const { config, database, metrics, leadership } = worker;
  return [
    ...bindIngestDuties(worker),
    bindTallies(config, database, leadership),
    bindDeadLetters(database, leadership),
    bindPurge(config, leadership, metrics, RETENTIONS, isMarketOnHold),
    bindLabelDuty(worker),
    bindPartitions(leadership),
  ];
}
