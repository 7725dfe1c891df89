/**
 * A market of an API process: opens its stores, hands them to core and to the rooms, and closes everything in the order the
 * data flows. Markets share no connection, breaker, gate or cache, so that a fault of one reaches no request of another.
 */
import type { RequestListener } from 'node:http';
import { refuseWrites } from '../core/accept/gate.ts';
import { openIngest } from '../core/accept/ingest.ts';
import { limitRequests } from '../core/accept/limits/limiter.ts';
import { acceptRoutes } from '../core/accept/routes.ts';
import type { Api, ApiRoom } from '../core/room.ts';
import { createRates } from '../core/store/amounts/exchange-rates.ts';
import { watchControls, watchLimits } from '../core/store/controls/watch-controls.ts';
import { proveWrite } from '../core/store/write-probe.ts';
import { claimIdentity } from '../core/stream/identity.ts';
import { openKafkaOf } from '../core/stream/kafka/watch-kafka.ts';
import { openReplies } from '../core/stream/settle/replies.ts';
import { watchModelsOut } from '../core/stream/status/models-out.ts';
import { apiKeyHash } from '../kit/access/api-key.ts';
import { storeBootstrapKey } from '../kit/access/api-keys.ts';
import { createKeptAnswers } from '../kit/access/kept-answers.ts';
import { createKeyLookup, createRecordUse } from '../kit/access/sessions.ts';
import type { CommandContext } from '../kit/command/command.ts';
import { neededUrl } from '../kit/command/stores.ts';
import { type Changes, followChanges } from '../kit/database/follow-changes.ts';
import {
  followServerOf,
  openDatabase,
  openOrderedDatabase,
  openProbe,
  type Probe,
} from '../kit/database/open-database.ts';
import { SCHEMA_MISSING } from '../kit/database/pg-failure.ts';
import type { Database } from '../kit/database/pool.ts';
import type { CountRead } from '../kit/database/replica/choose-database.ts';
import { type OpenReplicas, openReplicas } from '../kit/database/replica/replicas.ts';
import { withStandIn } from '../kit/database/replica/stand-in.ts';
import type { Server } from '../kit/database/server.ts';
import { openRequestGate, type RequestGate } from '../kit/http/admission/shed.ts';
import { openAuthenticator } from '../kit/http/auth/auth.ts';
import { createCpuQueue } from '../kit/http/body/cpu-queue.ts';
import { traceRequests } from '../kit/http/edge.ts';
import { toListener } from '../kit/http/serve.ts';
import { createMarketMetrics } from '../kit/metrics/metrics.ts';
import { createFailpoint, FAILPOINT_VARIABLE } from '../kit/process/failpoint.ts';
import { openCommands, untilReady } from '../kit/redis/connection.ts';
import type { Traces } from '../kit/traces/open-traces.ts';
import { Failure } from '../kit/words/failure.ts';
import { bindGuards, watchGuards } from './guards.ts';
import { createApp } from './http/app.ts';
import type { Vitals } from './http/health.ts';
import { watchRights } from './rights.ts';
import { openLists, openModels, openPersonal, ROOMS } from './rooms.ts';
import { waitForSchema } from './schema-version.ts';
import { createReadiness } from './vital-signs.ts';

/** Share of a statement's time that it may wait for a lock: below 1, so that the lock speaks first. */
const LOCK_SHARE = 0.8;

export type OpenMarket = Pick<Api, 'authenticate' | 'databases' | 'metrics'> & {
  readonly listener: RequestListener;
  /** Requests that are admitted and not answered. */
  readonly requestsInFlight: () => number;
  readonly vitals: Vitals;
  /** Resolves once nothing is under way; called when the process has stopped serving. */
  readonly ended: () => Promise<unknown>;
};

export type MarketContext = CommandContext & {
  /** Traces of the process; null where traces are off. */
  readonly traces: Traces | null;
};

/**
 * @param config of the market
 * @param stack closes the market
 * @throws Failure where Postgres cannot be asked, or has no schema of the market
 */
export async function openMarket(
  context: MarketContext,
  stack: AsyncDisposableStack,
): Promise<OpenMarket> {
  const { config, log, signal, traces } = context;
  const [databaseUrl, redisUrl] = [
    neededUrl(config, 'DATABASE_URL'),
    neededUrl(config, 'REDIS_URL'),
  ];
  const metrics = createMarketMetrics(config.RISK_MARKET);
  const guards = stack.use(bindGuards(config, metrics, log, 'api'));
  const guard = guards.postgres.run;
  const server = stack.use(followServerOf(config, databaseUrl, 'api', log));
  const probe = stack.use(openProbe(config, databaseUrl, 'api', { server }));
  // Not through the breaker, which would stay open after Postgres has come.
  if (!(await waitForSchema(probe, config.RISK_SCHEMA_WAIT_MS, signal))) {
    const said = 'the schema is missing or too old: run `risk migrate`';
    throw new Failure('unavailable', SCHEMA_MISSING, said);
  }
  const lockTimeoutMs = Math.floor(config.RISK_STATEMENT_TIMEOUT_MS * LOCK_SHARE);
  const database = stack.use(
    openDatabase(config, databaseUrl, 'api', { lockTimeoutMs, guard, server }),
  );
  if (config.RISK_BOOTSTRAP_KEY !== undefined) {
    const keyHash = apiKeyHash(config.RISK_BOOTSTRAP_KEY);
    const works = await storeBootstrapKey(database, keyHash, 'risk api');
    if (!works) log.warn('RISK_BOOTSTRAP_KEY is revoked: remove it or set another value');
  }
  const stores = { databaseUrl, redisUrl, database, probe, server, guards, metrics };
  // Background reads of the rooms end before the stores close, also where the market never comes to serve.
  const closing = new AbortController();
  const draining = AbortSignal.any([signal, closing.signal]);
  const { api, gate } = await openApi({ ...context, signal: draining }, stack, stores);
  const rooms: ApiRoom[] = [];
  for (const { routes } of ROOMS)
    if (routes !== undefined) rooms.push(await (await routes()).open(api));
  stack.defer(() => closing.abort());
  const app = createApp({
    log,
    metrics,
    traces: traces && traceRequests(traces, config.RISK_MARKET),
    authenticate: api.authenticate,
    personal: api.personal.tokens,
    routes: [acceptRoutes(api), ...rooms.flatMap(({ routes }) => routes)],
    recordUse: createRecordUse(database),
    keptAnswers: createKeptAnswers(database, log),
    degradation: guards.health,
    staleSinceMs: () => api.databases.replica?.standIn()?.sinceMs,
    timeoutMs: config.RISK_REQUEST_TIMEOUT_MS,
    waitMsMax: config.RISK_WAIT_MS_MAX,
    refusals: [limitRequests(api.ingest.limiter), refuseWrites(api.controls)],
  });
  const { refused } = stack.use(watchRights(probe, api.redis, config.RISK_MARKET, log));
  return {
    authenticate: api.authenticate,
    databases: api.databases,
    metrics,
    listener: gate.wrap(toListener(app)),
    requestsInFlight: gate.inFlight,
    vitals: { ...vitalsOf(api, probe), refused },
    ended: () => Promise.all([...rooms.map(({ ended }) => ended?.()), api.ingest.leftRows.flush()]),
  };
}

type Stores = Pick<Api, 'guards' | 'metrics'> & {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly database: Database;
  readonly probe: Probe;
  readonly server: Server;
};

/** Opens everything that has a lifetime; the stack closes it. */
async function openApi(
  { config, log, signal, environment }: CommandContext,
  stack: AsyncDisposableStack,
  { databaseUrl, redisUrl, database, probe, server, guards, metrics }: Stores,
): Promise<{ readonly api: Api; readonly gate: RequestGate }> {
  const { RISK_MARKET: market } = config;
  const guard = guards.postgres.run;
  const replica = openReplicasOf({ config, log }, stack, { probe, guards, metrics });
  const standIn = () => replica?.standIn();
  const primary = withStandIn(database, 'database', standIn);
  const { authenticate, turnAway } = openAuthenticator(config, createKeyLookup(primary));
  const takesSubmissions = guards.postgres.isClosed;
  const gate = stack.use(openRequestGate(config, { metrics, takesSubmissions, turnAway }));
  const redis = openCommands(redisUrl, config.RISK_REDIS_TIMEOUT_MS);
  stack.defer(() => redis.disconnect());
  await untilReady(redis, config.RISK_REDIS_TIMEOUT_MS);
  await claimIdentity(redis, market).catch((error: Error) => {
    log.warn(
      { cause: error.message },
      'the API starts without Redis: transactions are stored now and scored later',
    );
  });
  stack.use(await watchGuards(guards, probe, redis, market));
  const replies = stack.use(openReplies({ url: redisUrl, market, commands: redis }));
  const changes = stack.use(followChanges(probe, log));
  const controls = await watchControls(config, probe, changes, log);
  guards.raiseTo(controls.levelByHand, controls.corridors);
  stack.use(watchModelsOut(redis, market, guards));
  const ofKafka = openKafkaOf(config.KAFKA_URL, stack, { redis, market, controls, metrics, log });
  const personal = await openPersonal({ config, database: primary, changes, log });
  const ingest = openIngest(config, {
    personal,
    kafka: ofKafka.kafka,
    database,
    redis,
    guards,
    metrics,
    controls,
    limits: stack.use(watchLimits(probe, controls.current, 'api')),
    log,
    failpoint: createFailpoint(environment[FAILPOINT_VARIABLE]),
    onLabelled: ROOMS.flatMap(({ onLabelled }) => onLabelled ?? []),
  });
  const databases = {
    primary,
    replica,
    now: Date.now,
    ordered: withStandIn(
      stack.use(openOrderedDatabase(config, databaseUrl, guard, { server })),
      'ordered',
      standIn,
    ),
    countRead: (...[database, why]: Parameters<CountRead>) => metrics.reads.inc({ database, why }),
  };
  const api: Api = {
    config,
    log,
    draining: signal,
    databases,
    redis,
    guards,
    metrics,
    ingest,
    personal,
    ...ofKafka,
    controls,
    replies,
    authenticate,
    isSubmitting: gate.isSubmitting,
    openPool: (name) => stack.use(openDatabase(config, databaseUrl, name, { guard, server })),
    ...(await openParts(databases, changes)),
    limits: {
      bytesMax: config.RISK_BODY_BYTES_MAX,
      timeoutMs: config.RISK_REQUEST_TIMEOUT_MS,
      awaitBody: gate.awaitBody,
      waitForCpu: createCpuQueue(),
    },
    afterLabels: new Set(),
  };
  return { api, gate };
}

function openReplicasOf(
  { config, log }: Pick<CommandContext, 'config' | 'log'>,
  stack: AsyncDisposableStack,
  { probe, guards, metrics }: Pick<Stores, 'probe' | 'guards' | 'metrics'>,
): OpenReplicas | null {
  const { DATABASE_REPLICA_URL: urls } = config;
  if (urls === undefined) return null;
  const isPrimaryUp = guards.postgres.isClosed;
  return stack.use(openReplicas({ config, urls, primary: probe, isPrimaryUp, metrics, log }));
}

/** Parts that one room gives to all rooms. */
async function openParts(
  databases: Api['databases'],
  changes: Changes,
): Promise<Pick<Api, 'models' | 'inputSources' | 'executors'>> {
  const database = databases.primary;
  const routes = await Promise.all(ROOMS.map((room) => room.routes?.()));
  return {
    models: await openModels(databases),
    executors: Object.assign({}, ...routes.map((ofRoom) => ofRoom?.executors)),
    inputSources: {
      lists: (await openLists(database, changes)).answers,
      rates: createRates(database.query),
    },
  };
}

function vitalsOf({ config, databases, redis, guards }: Api, probe: Probe) {
  return {
    readiness: createReadiness({
      postgres: () => proveWrite(probe.prove).then(() => true),
      redis: () => claimIdentity(redis, config.RISK_MARKET).then(() => true),
    }),
    needs: ['postgres'] as const,
    health: guards.health,
    replica: () => databases.replica?.status() ?? null,
    isStoodIn: () => databases.replica?.standIn() !== undefined,
  };
}
