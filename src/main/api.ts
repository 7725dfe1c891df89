/**
 * The API process: opens the stores, hands them to core and to the rooms, serves until it is told to stop, and then closes
 * everything in the order the data flows.
 */
import { once } from 'node:events';
import type { Hono } from 'hono';
import { openIngest } from '../core/accept/ingest.ts';
import { limitRequests } from '../core/accept/limits/limit-requests.ts';
import { refuseWrites } from '../core/accept/refuse-writes.ts';
import { acceptRoutes } from '../core/accept/routes.ts';
import { levelByHand } from '../core/domain/level.ts';
import type { Api, ApiRoom } from '../core/room.ts';
import { watchLimits } from '../core/store/limits/watch-limits.ts';
import { watchSwitchesOf } from '../core/store/switches/watch-switches.ts';
import { proveWrite } from '../core/store/write-probe.ts';
import { claimIdentity } from '../core/stream/identity.ts';
import { openReplies } from '../core/stream/settle/replies.ts';
import { apiKeyHash } from '../kit/access/api-key.ts';
import { findLiveApiKey, storeBootstrapKey } from '../kit/access/api-keys.ts';
import { createRecordUse } from '../kit/access/record-use.ts';
import { findLoginLink, findOpenSession } from '../kit/access/sessions.ts';
import type { CommandContext } from '../kit/command/command.ts';
import { EXIT_BAD_CONFIGURATION } from '../kit/config/config.ts';
import { waitForSchema } from '../kit/database/migrations/schema-version.ts';
import { openDatabase, openProbe } from '../kit/database/open-database.ts';
import type { Database } from '../kit/database/pool.ts';
import { readBoundToken } from '../kit/database/replica/bound-token.ts';
import type { CountRead } from '../kit/database/replica/choose-database.ts';
import { openReplica } from '../kit/database/replica/replica.ts';
import { readSystem } from '../kit/database/replica/replica-position.ts';
import { openSliceDatabase } from '../kit/database/slice-database.ts';
import { openRequestGate, type RequestGate } from '../kit/http/admission/shed.ts';
import { createApp } from '../kit/http/app.ts';
import type { AppEnv } from '../kit/http/app-env.ts';
import { openAuthenticator } from '../kit/http/auth/auth.ts';
import { createCpuQueue } from '../kit/http/body/cpu-queue.ts';
import { docsRoutes } from '../kit/http/docs.ts';
import { healthRoutes } from '../kit/http/health.ts';
import { serve } from '../kit/http/serve.ts';
import { createMetrics, type Metrics, reportConnections } from '../kit/metrics/metrics.ts';
import { createFailpoint, FAILPOINT_VARIABLE } from '../kit/process/failpoint.ts';
import { createReadiness } from '../kit/process/vital-signs.ts';
import { openCommands, untilReady } from '../kit/redis/connection.ts';
import { loadDocument } from './document.ts';
import { bindGuards, watchGuards } from './guards.ts';
import { openModels, ROOMS } from './rooms.ts';

const EXIT_FINE = 0;
const EXIT_FAILED = 1;
/** Share of a statement's time that it may wait for a lock: below 1, so that the lock speaks first. */
const LOCK_SHARE = 0.8;

export async function runApi(context: CommandContext): Promise<number> {
  const { config, log, output, signal } = context;
  const { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl } = config;
  if (databaseUrl === undefined || redisUrl === undefined) {
    if (databaseUrl === undefined) output.error('DATABASE_URL: is needed by api');
    if (redisUrl === undefined) output.error('REDIS_URL: is needed by api');
    return EXIT_BAD_CONFIGURATION;
  }
  await using stack = new AsyncDisposableStack();
  const metrics = createMetrics();
  const guards = stack.use(bindGuards(metrics, log, 'api'));
  const guard = guards.postgres.run;
  const lockTimeoutMs = Math.floor(config.RISK_STATEMENT_TIMEOUT_MS * LOCK_SHARE);
  const database = stack.use(openDatabase(config, databaseUrl, 'api', { lockTimeoutMs, guard }));
  if (!(await waitForSchema(database, config.RISK_SCHEMA_WAIT_MS, signal))) {
    if (signal.aborted) return EXIT_FINE;
    output.error('the schema is missing or too old: run `risk migrate`');
    return EXIT_FAILED;
  }
  if (config.RISK_BOOTSTRAP_KEY !== undefined) {
    const keyHash = apiKeyHash(config.RISK_BOOTSTRAP_KEY);
    const works = await storeBootstrapKey(database, keyHash, 'risk api');
    if (!works) log.warn('RISK_BOOTSTRAP_KEY is revoked: remove it or set another value');
  }
  const stores = { databaseUrl, redisUrl, database, guards, metrics };
  // Background reads of the rooms end before the stores close, also where the API never comes to serve.
  const closing = new AbortController();
  const draining = AbortSignal.any([signal, closing.signal]);
  const { api, gate, probe } = await openApi({ ...context, signal: draining }, stack, stores);
  const rooms: ApiRoom[] = [];
  for (const room of ROOMS) if (room.api !== undefined) rooms.push(await room.api(api));
  stack.defer(() => closing.abort());
  const app = createApp({
    log,
    metrics,
    authenticate: api.authenticate,
    routes: [
      openHealth(api, probe),
      acceptRoutes(api),
      ...rooms.flatMap(({ routes }) => routes),
      docsRoutes(await loadDocument()),
    ],
    recordUse: createRecordUse(database),
    readBoundToken: () => readBoundToken(database, api.ingest.system),
    degradation: guards.health.level,
    timeoutMs: config.RISK_REQUEST_TIMEOUT_MS,
    waitMsMax: config.RISK_WAIT_MS_MAX,
    refusals: [limitRequests(api.ingest.limiter), refuseWrites(api.switches)],
  });
  const serving = await serve(app, {
    host: config.HOST,
    port: config.PORT,
    mayMove: !context.environment['PORT'],
    gate: (application) =>
      gate.wrap(rooms.reduce((next, { answerFirst }) => answerFirst?.(next) ?? next, application)),
  });
  const { url } = serving;
  if (config.PORT !== 0 && new URL(url).port !== String(config.PORT))
    log.warn(
      { taken: config.PORT, url },
      'the port is taken, so another one serves: set PORT to choose',
    );
  log.info({ url }, 'serving');
  if (!signal.aborted) await once(signal, 'abort');
  await serving.close();
  await Promise.all([...rooms.map(({ ended }) => ended?.()), api.ingest.leftRows.flush()]);
  return EXIT_FINE;
}

type Stores = Pick<Api, 'guards' | 'metrics'> & {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly database: Database;
};

/** Opens everything that has a lifetime; the stack closes it. */
async function openApi(
  { config, log, signal, environment }: CommandContext,
  stack: AsyncDisposableStack,
  { databaseUrl, redisUrl, database, guards, metrics }: Stores,
): Promise<{ readonly api: Api; readonly gate: RequestGate; readonly probe: Database }> {
  const { RISK_MARKET: market, DATABASE_REPLICA_URL: replicaUrl } = config;
  const guard = guards.postgres.run;
  const probe = stack.use(openProbe(config, databaseUrl, 'api'));
  const finders = { key: findLiveApiKey, link: findLoginLink, session: findOpenSession };
  const { authenticate, recall, turnAway } = openAuthenticator(config, async (tokenHash, kind) => {
    const key = await finders[kind](database, tokenHash);
    return key && { ...key, roles: new Set(key.roles) };
  });
  const takesSubmissions = () => guards.postgres.state() === 'closed';
  const gate = stack.use(openRequestGate(config, { metrics, takesSubmissions, turnAway }));
  const replica =
    replicaUrl === undefined
      ? null
      : stack.use(openReplica({ config, url: replicaUrl, primary: probe, metrics, log }));
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
  const replies = stack.use(openReplies({ url: redisUrl, market }));
  const switches = stack.use(await watchSwitchesOf(config, probe, log));
  guards.raiseTo((corridor) => levelByHand(switches.current(), corridor));
  const limits = stack.use(await watchLimits(probe, log));
  const ingest = openIngest(config, {
    database,
    redis,
    guards,
    metrics,
    switches,
    limits,
    log,
    system: await readSystem(database),
    failpoint: createFailpoint(environment[FAILPOINT_VARIABLE]),
    onLabelled: ROOMS.flatMap(({ onLabelled }) => onLabelled ?? []),
  });
  const databases = {
    primary: database,
    replica,
    now: Date.now,
    timed: stack.use(openSliceDatabase(config, databaseUrl, guard)),
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
    switches,
    replies,
    authenticate,
    recall,
    isSubmitting: gate.isSubmitting,
    openPool: (name) => stack.use(openDatabase(config, databaseUrl, name, { guard })),
    models: await openModels(databases),
    limits: {
      bytesMax: config.RISK_BODY_BYTES_MAX,
      timeoutMs: config.RISK_REQUEST_TIMEOUT_MS,
      awaitBody: gate.awaitBody,
      waitForCpu: createCpuQueue(),
    },
    afterLabels: new Set(),
  };
  return { api, gate: gate, probe };
}

function openHealth(api: Api, probe: Database): Hono<AppEnv> {
  const { config, databases, redis, guards, metrics, draining, authenticate } = api;
  const readiness = createReadiness({
    postgres: () => proveWrite(probe).then(() => true),
    redis: () => claimIdentity(redis, config.RISK_MARKET).then(() => true),
  });
  return healthRoutes({
    isAlive: () => true,
    readiness,
    needs: ['postgres'],
    health: guards.health,
    replica: () => databases.replica?.status() ?? null,
    draining,
    authenticate,
    metrics: {
      contentType: metrics.registry.contentType,
      metrics: () => scrape(databases.primary, metrics),
    },
  });
}

/** Connections are counted when the metrics are scraped. */
async function scrape(database: Database, metrics: Metrics): Promise<string> {
  reportConnections(metrics, database.usage());
  return await metrics.registry.metrics();
}
