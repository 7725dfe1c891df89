/**
 * A worker process: composition root. Opens Postgres and Redis, hands them to the worker, and closes
 * them in reverse when it has drained.
 */
import { FEATURE_SCHEMA } from '../core/domain/feature-schema.ts';
import { createAccountKind } from '../core/profile/account-kind.ts';
import { createMerchantKind } from '../core/profile/merchant-kind.ts';
import { bindDeadLetters } from '../core/repair/dead-letter-duty.ts';
import { bindLabelDuty } from '../core/repair/label-duty.ts';
import { bindPartitions } from '../core/repair/partition-duty.ts';
import { bindIngestDuties } from '../core/repair/reconcile-duty.ts';
import { bindTallies } from '../core/repair/tally-duty.ts';
import type { Room, Worker, WorkerRoom } from '../core/room.ts';
import { type Judge, RULES_ALONE } from '../core/score/judge.ts';
import { currentRuleSet } from '../core/score/rules/rule-sets.ts';
import { score } from '../core/score/score.ts';
import { insertDeadLetters } from '../core/store/dead-letters/dead-letters.ts';
import { createPartitionGuard } from '../core/store/partitions/partitions.ts';
import { loadAccountPasts, loadMerchantPasts } from '../core/store/profiles/history.ts';
import { createInsertScores, type ScoredStatement } from '../core/store/scores/scores.ts';
import { readStoredScores } from '../core/store/scores/stored-scores.ts';
import { listCorridors } from '../core/store/transactions/corridors.ts';
import { createGroupDuties, ensureGroups } from '../core/stream/group/consumer-group.ts';
import { openReaderConnection } from '../core/stream/group/reader-connection.ts';
import { ENTRY_READER, type EntryReader, handEntriesOver } from '../core/stream/group/versions.ts';
import type { StreamKeys } from '../core/stream/keys.ts';
import { bindMemory, type Memory } from '../core/stream/memory-duty.ts';
import { createProfileLogs, type ProfileLogs } from '../core/stream/profiles/profile-logs.ts';
import { promoteRetries } from '../core/stream/settle/retries.ts';
import { createSettle, prove } from '../core/stream/settle/settle.ts';
import { measureStreams } from '../core/stream/status/lag.ts';
import { createListStreams } from '../core/stream/status/list-streams.ts';
import { poisonScorer } from '../core/work/fault-test-scorer.ts';
import { oneAtATime } from '../core/work/one-at-a-time.ts';
import { type BatchSteps, createBatchSteps } from '../core/work/process-batch.ts';
import { createFoldKind } from '../core/work/profiles/fold-kind.ts';
import { createFoldProfiles } from '../core/work/profiles/fold-profiles.ts';
import { reportStreams } from '../core/work/report-streams.ts';
import { runWorker as run } from '../core/work/run-worker.ts';
import type { Scorer } from '../core/work/scorer.ts';
import { type CommandContext, EXIT } from '../kit/command/command.ts';
import { type Config, EXIT_BAD_CONFIGURATION } from '../kit/config/config.ts';
import { waitForSchema } from '../kit/database/migrations/schema-version.ts';
import { openDatabase, openProbe } from '../kit/database/open-database.ts';
import { createLeadership } from '../kit/duties/leadership.ts';
import { bindPurge } from '../kit/duties/purge-duty.ts';
import type { Duty } from '../kit/duties/run-duties.ts';
import { serveHealth } from '../kit/http/serve-health.ts';
import { createMetrics, reportConnections } from '../kit/metrics/metrics.ts';
import { createFailpoint, FAILPOINT_VARIABLE } from '../kit/process/failpoint.ts';
import { nameProcess } from '../kit/process/process-name.ts';
import { createLife, createReadiness } from '../kit/process/vital-signs.ts';
import { openCommands, type RedisClient, untilReady } from '../kit/redis/connection.ts';
import {
  bindGuards,
  checksOfWorker,
  guardProfiles,
  guardReads,
  guardSettle,
  watchGuards,
} from './guards.ts';
import { RETENTIONS, ROOMS } from './rooms.ts';

/**
 * L1 by kind: with 25 entries an account and 100 a merchant, 17,100 accounts and 4,900 merchants. 500,000 transactions of
 * 5,000 accounts and 900 merchants need 21.3 and 16.2 MiB; with 18 and 11 MiB 27 % of reads take a whole log again.
 */
const ACCOUNT_COPIES_BYTES_MAX = 21 * 1024 * 1024;
const MERCHANT_COPIES_BYTES_MAX = 16 * 1024 * 1024;
/**
 * Batches of scores are stored one at a time: with four at a time, and six large commits of the API, Postgres took a sixth
 * more processor time (2 cores). One that takes longer than this waits for a lock, and must not hold up the others.
 */
const INSERT_STALL_MS = 2000;
const [PROMOTE_EVERY_MS, LAG_EVERY_MS] = [200, 5000];

/** What a test may put in place of the engine's own. */
export type WorkerOverrides = {
  readonly scorer?: Scorer;
  readonly rooms?: readonly Room[];
  readonly entries?: EntryReader;
};

const scorer: Scorer = {
  featureSchema: FEATURE_SCHEMA,
  ruleSet: currentRuleSet.id,
  decide: (vector, opinion) => score({ vector, ruleSet: currentRuleSet, opinion }),
};

/** Resolves to the exit code once the worker has drained. */
export async function runWorker(
  { config, log, signal, environment }: CommandContext,
  overrides: WorkerOverrides = {},
): Promise<number> {
  const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = config;
  if (databaseUrl === undefined || redisUrl === undefined) {
    log.fatal('DATABASE_URL and REDIS_URL must be set: a worker starts no services of its own');
    return EXIT_BAD_CONFIGURATION;
  }
  const metrics = createMetrics();
  using guards = bindGuards(metrics, log, 'worker');
  const guard = guards.postgres.run;
  await using database = openDatabase(config, databaseUrl, 'worker', { guard });
  if (!(await waitForSchema(database, config.RISK_SCHEMA_WAIT_MS, signal))) {
    if (signal.aborted) return EXIT.fine;
    log.fatal('the schema is missing or older than this engine: run `risk migrate`');
    return EXIT.failed;
  }
  const redis = openCommands(redisUrl, config.RISK_REDIS_TIMEOUT_MS);
  await using resources = new AsyncDisposableStack();
  resources.defer(() => redis.disconnect());
  const connection = resources.use(
    openReaderConnection(redisUrl, config.RISK_READ_BLOCK_MS, redis),
  );
  // Alive while something happens: a read came back, or a held batch tries again.
  const life = createLife(3 * config.RISK_READ_BLOCK_MS + config.RISK_WORKER_QUIET_MS);
  const probe = resources.use(openProbe(config, databaseUrl, 'worker'));
  const readiness = createReadiness(checksOfWorker(probe, redis, config.RISK_MARKET));
  if (config.RISK_WORKER_PORT > 0) {
    const vitals = { isAlive: life.isAlive, readiness, health: guards.health, draining: signal };
    resources.use(await serveHealth(config, metrics, log, vitals));
  }
  await untilReady(redis, config.RISK_REDIS_TIMEOUT_MS);
  resources.use(watchGuards(guards, probe, redis, config.RISK_MARKET));
  const logs = guardProfiles(openProfileLogs(config, redis), guards.redis);
  const memory = bindMemory(config, redis, logs, metrics);
  const listStreams = createListStreams(redis, config.RISK_MARKET, config.RISK_SHARDS);
  const failpoint = createFailpoint(environment[FAILPOINT_VARIABLE]);
  const name = nameProcess();
  const leadership = resources.use(createLeadership(database, name, failpoint));
  const parts = { config, log, name, database, redis, guards, metrics, leadership };
  const { worker, rooms } = await openRooms(parts, overrides.rooms ?? ROOMS);
  const { entries = ENTRY_READER } = overrides;
  const onScored = rooms.flatMap((room) => room.onScored ?? []);
  const adapters = { ...worker, logs, memory };
  const judge = rooms.find((room) => room.judge !== undefined)?.judge ?? RULES_ALONE;
  const readers = config.RISK_WORKER_READERS;
  log.info({ name, readers, httpPort: config.RISK_WORKER_PORT }, 'worker starts');
  await run({
    name,
    connection,
    group: {
      ...createGroupDuties(redis, entries.versions),
      ensure: (s) => ensureGroups(redis, s),
      prove: (stream) => prove(redis, stream),
      ...guardReads(guards),
    },
    steps: createSteps({
      ...{ ...adapters, failpoint, judge, entries, onScored },
      scorer: poisonScorer(overrides.scorer ?? scorer, environment),
    }),
    listStreams: async () => await listStreams(await listCorridors(database)),
    duties: (streams) => [
      ...createDuties(adapters, streams),
      ...rooms.flatMap(({ duties }) => duties),
    ],
    settings: {
      readers,
      batchTransactions: config.RISK_BATCH_ENTRIES,
      blockMs: config.RISK_READ_BLOCK_MS,
      claimIdleMs: config.RISK_CLAIM_IDLE_MS,
    },
    signal,
    metrics,
    log,
    random: Math.random,
    nowMs: () => performance.now(),
    onSignOfLife: life.sign,
  });
  log.info({ name }, 'worker has drained');
  return EXIT.fine;
}

/** What a room without a part in a worker adds. */
const NOTHING: WorkerRoom = { duties: [] };

/** Each room gets the events of all rooms. */
async function openRooms(parts: Omit<Worker, 'events'>, all: readonly Room[]) {
  const events = (await Promise.all(all.map((room) => room.events?.() ?? []))).flat();
  const worker: Worker = { ...parts, events };
  const rooms = await Promise.all(all.map((room) => room.worker?.(worker) ?? NOTHING));
  return { worker, rooms };
}

function openProfileLogs(config: Config, redis: RedisClient): ProfileLogs {
  return createProfileLogs({
    redis,
    market: config.RISK_MARKET,
    ttlSeconds: config.RISK_PROFILE_TTL_SECONDS,
  });
}

type Adapters = Worker & { readonly logs: ProfileLogs; readonly memory: Memory };

type StepParts = Adapters & {
  readonly failpoint: ReturnType<typeof createFailpoint>;
  readonly judge: Judge;
  readonly onScored: readonly ScoredStatement[];
} & Required<Pick<WorkerOverrides, 'scorer' | 'entries'>>;

function createSteps(parts: StepParts): BatchSteps {
  const { config, database, redis, logs, metrics, guards } = parts;
  const settle = createSettle({
    redis,
    market: config.RISK_MARKET,
    ...parts.memory.settleOptions,
  });
  const maturityDays = config.RISK_LABEL_MATURITY_DAYS;
  const ttlSeconds = config.RISK_PROFILE_TTL_SECONDS;
  const shared = { market: config.RISK_MARKET, metrics, ttlSeconds, nowMs: Date.now };
  const accounts = createFoldKind({
    kind: createAccountKind(maturityDays),
    loadPasts: (points) => loadAccountPasts(database.query, points),
    ...{ ...shared, bytesMax: ACCOUNT_COPIES_BYTES_MAX },
  });
  const merchants = createFoldKind({
    kind: createMerchantKind(maturityDays),
    loadPasts: (points) => loadMerchantPasts(database.query, points, maturityDays),
    ...{ ...shared, bytesMax: MERCHANT_COPIES_BYTES_MAX },
  });
  const partitions = createPartitionGuard(database);
  const inTurn = oneAtATime(INSERT_STALL_MS);
  return createBatchSteps({
    ...{ entries: parts.entries, handOver: (all) => handEntriesOver(redis, all) },
    foldProfiles: createFoldProfiles({ logs, metrics, kinds: [accounts, merchants] }),
    scorer: parts.scorer,
    judge: parts.judge,
    store: {
      insertScores: createInsertScores(database, partitions, parts.onScored, inTurn),
      readStoredScores: (transactions) => readStoredScores(database, transactions),
      insertDeadLetters: (letters) => insertDeadLetters(database, letters),
    },
    settle: guardSettle(settle, guards.redis),
    degradation: guards.health.level,
    retryBaseMs: config.RISK_RETRY_BASE_MS,
    random: Math.random,
    nowMs: Date.now,
    metrics,
    failpoint: parts.failpoint,
  });
}

function createDuties(
  { config, database, redis, memory, metrics, guards, leadership }: Adapters,
  streams: () => readonly StreamKeys[],
): Duty[] {
  return [
    ...bindIngestDuties(config, database, redis, leadership, metrics),
    bindTallies(config, database, leadership),
    bindDeadLetters(database, leadership),
    bindPurge(config, leadership, metrics, RETENTIONS),
    bindLabelDuty(config, database, redis, guards.redis.run, metrics, leadership),
    {
      name: 'promote-retries',
      everyMs: PROMOTE_EVERY_MS,
      async run() {
        await promoteRetries(redis, streams());
      },
    },
    ...memory.duties(streams),
    {
      name: 'lag',
      everyMs: LAG_EVERY_MS,
      run: async () => {
        reportStreams(metrics, await measureStreams(redis, streams()));
        reportConnections(metrics, database.usage());
      },
    },
    bindPartitions(leadership),
  ];
}
