/**
 * The API process. Composition root: opens the adapters, hands them to ingest, query and http, serves
 * until it is told to stop, then closes everything in the order the data flows.
 */
import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { fileURLToPath } from 'node:url';
import packageJson from '../../package.json' with { type: 'json' };
import { watchCorridors } from '../core/accept/corridor-list.ts';
import { openIngest } from '../core/accept/ingest.ts';
import { transactionsPaths, transactionsRoutes } from '../core/accept/routes.ts';
import { createModelCache } from '../core/read/model-cache.ts';
import { listCorridors } from '../core/store/transactions/corridors.ts';
import { proveWrite } from '../core/store/write-probe.ts';
import { claimIdentity } from '../core/stream/identity.ts';
import { openReplies } from '../core/stream/settle/replies.ts';
import { apiKeyHash } from '../kit/access/api-key.ts';
import { findLiveApiKey, storeBootstrapKey } from '../kit/access/api-keys.ts';
import { findLoginLink, findOpenSession } from '../kit/access/sessions.ts';
import type { Guards } from '../kit/breakers/guards.ts';
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
import { type Front, openFront } from '../kit/http/admission/shed.ts';
import { createApp } from '../kit/http/app.ts';
import type { RouteModule } from '../kit/http/app-env.ts';
import { type Authenticator, openAuthenticator } from '../kit/http/auth/auth.ts';
import { createCpuQueue } from '../kit/http/body/cpu-queue.ts';
import { buildDocument } from '../kit/http/document.ts';
import { healthPaths, healthRoutes } from '../kit/http/health.ts';
import { serve } from '../kit/http/serve.ts';
import { createMetrics, type Metrics, reportConnections } from '../kit/metrics/metrics.ts';
import { createFailpoint, FAILPOINT_VARIABLE } from '../kit/process/failpoint.ts';
import { createReadiness } from '../kit/process/vital-signs.ts';
import { openCommands, untilReady } from '../kit/redis/connection.ts';
import { createKeys } from '../rooms/access/keys.ts';
import { identitiesPaths, identitiesRoutes } from '../rooms/access/routes/identities.ts';
import { keysPaths, keysRoutes } from '../rooms/access/routes/keys.ts';
import { sessionsPaths, sessionsRoutes } from '../rooms/access/routes/sessions.ts';
import { createSessions, type Sessions } from '../rooms/access/sessions.ts';
import { auditPaths, auditRoutes } from '../rooms/audit/routes.ts';
import { consoleRoutes } from '../rooms/console/console.ts';
import { docsPaths, docsRoutes } from '../rooms/console/docs.ts';
import { deadLettersPaths, deadLettersRoutes } from '../rooms/dead-letters/routes.ts';
import { exportsPaths, exportsRoutes } from '../rooms/exports/routes.ts';
import { createExports } from '../rooms/exports/write/exports.ts';
import { labelsPaths, labelsRoutes } from '../rooms/labels/routes.ts';
import { createRegistry } from '../rooms/models/change/registry.ts';
import { modelWatchPaths, modelWatchRoutes } from '../rooms/models/routes/model-watch.ts';
import { modelsPaths, modelsRoutes } from '../rooms/models/routes/models.ts';
import { bindReviews } from '../rooms/review/bind-reviews.ts';
import { cataloguePaths, catalogueRoutes } from '../rooms/rules/routes/catalogue.ts';
import { rulesPaths, rulesRoutes } from '../rooms/rules/routes/rules.ts';
import { bindEvaluating } from '../rooms/search/bind-evaluate.ts';
import { bindReading } from '../rooms/search/bind-reading.ts';
import { answerHotScores } from '../rooms/search/hot-scores.ts';
import type { Reading } from '../rooms/search/queries/reading.ts';
import { evaluatePaths, evaluateRoutes } from '../rooms/search/routes/evaluate.ts';
import { partiesPaths, partiesRoutes } from '../rooms/search/routes/parties.ts';
import { scoresPaths, scoresRoutes } from '../rooms/search/routes/scores.ts';
import { bindLive } from '../rooms/status/bind-live.ts';
import { bindOperating } from '../rooms/status/bind-operating.ts';
import { livePaths, liveRoutes } from '../rooms/status/routes/live.ts';
import { statusPaths, statusRoutes } from '../rooms/status/routes/status.ts';
import { summariesPaths, summariesRoutes } from '../rooms/summaries/routes.ts';
import { createWebhooks } from '../rooms/webhooks/change.ts';
import { openWebhookParts } from '../rooms/webhooks/duty.ts';
import { webhooksPaths, webhooksRoutes } from '../rooms/webhooks/routes.ts';
import { bindGuards, watchGuards } from './guards.ts';

/** The build of the browser application. */
const CONSOLE = fileURLToPath(new URL('../../console/dist', import.meta.url));
const EXIT_FINE = 0;
const EXIT_FAILED = 1;
/** Share of a statement's time that it may wait for a lock: below 1, so that the lock speaks first. */
const LOCK_SHARE = 0.8;

/** Everything with a lifetime, opened once. */
type Resources = Awaited<ReturnType<typeof openResources>>;

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
  const lockTimeoutMs = Math.floor(config.RISK_STATEMENT_TIMEOUT_MS * LOCK_SHARE);
  const guard = guards.postgres.run;
  const database = stack.use(openDatabase(config, databaseUrl, 'api', { lockTimeoutMs, guard }));
  const probe = stack.use(openProbe(config, databaseUrl, 'api'));
  if (!(await waitForSchema(database, config.RISK_SCHEMA_WAIT_MS, signal))) {
    if (signal.aborted) return EXIT_FINE;
    output.error('the schema is missing or too old: run `risk migrate`');
    return EXIT_FAILED;
  }
  if (config.RISK_BOOTSTRAP_KEY !== undefined) {
    const works = await storeBootstrapKey(
      ...[database, apiKeyHash(config.RISK_BOOTSTRAP_KEY), 'risk api'],
    );
    if (!works) log.warn('RISK_BOOTSTRAP_KEY is revoked: remove it or set another value');
  }
  const takesSubmissions = () => guards.postgres.state() === 'closed';
  const finders = { key: findLiveApiKey, link: findLoginLink, session: findOpenSession };
  const { authenticate, recall, turnAway } = openAuthenticator(config, async (tokenHash, kind) => {
    const key = await finders[kind](database, tokenHash);
    return key && { ...key, roles: new Set(key.roles) };
  });
  const front = stack.use(openFront(config, { metrics, takesSubmissions, turnAway }));
  const { isSubmitting } = front;
  const opened = { database, probe, guards, metrics, databaseUrl, redisUrl, isSubmitting };
  const resources = await openResources(context, stack, opened);
  const { awaitBody } = front;
  const sessions = createSessions(database);
  const reading = bindReading(config, resources);
  const shared = { authenticate, awaitBody, sessions, reading };
  const modules = listModules(context, { ...resources, ...shared });
  const document = buildDocument(
    [...modules.map((module) => module.paths), docsPaths],
    packageJson.version,
  );
  modules.push(
    { routes: docsRoutes(document), paths: docsPaths },
    { routes: consoleRoutes(CONSOLE), paths: {} },
  );
  const degradation = guards.health.level;
  // Requests of a limited client are counted in the application.
  const answerHot = (listener: RequestListener) =>
    config.RISK_CLIENT_REQUESTS_PER_SECOND > 0
      ? listener
      : answerHotScores(listener, { recall, peekScore: reading.peekScore, metrics, degradation });
  const app = createApp({
    ...{ log, metrics, authenticate, modules, recordUse: sessions.recordUse },
    readBoundToken: () => readBoundToken(database, resources.ingest.system),
    degradation,
    timeoutMs: config.RISK_REQUEST_TIMEOUT_MS,
    waitMsMax: config.RISK_WAIT_MS_MAX,
    clientRequestsPerSecond: config.RISK_CLIENT_REQUESTS_PER_SECOND,
  });
  const serving = await serve(app, {
    host: config.HOST,
    port: config.PORT,
    mayMove: !context.environment['PORT'],
    front: (listener) => front.wrap(answerHot(listener)),
  });
  log.info({ url: serving.url }, 'serving');
  if (!signal.aborted) await once(signal, 'abort');
  await serving.close();
  await Promise.all([resources.exports.ended(), resources.ingest.leftRows.flush()]);
  return EXIT_FINE;
}

type Opened = {
  readonly database: Database;
  readonly probe: Database;
  readonly guards: Guards;
  readonly metrics: Metrics;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly isSubmitting: Front['isSubmitting'];
};

async function openResources(
  context: CommandContext,
  stack: AsyncDisposableStack,
  { database, probe, guards, metrics, databaseUrl, redisUrl, isSubmitting }: Opened,
) {
  const { config, log } = context;
  const { RISK_MARKET: market } = config;
  const replica =
    config.DATABASE_REPLICA_URL === undefined
      ? null
      : stack.use(
          openReplica({
            ...{ config, url: config.DATABASE_REPLICA_URL, primary: probe, metrics, log },
          }),
        );
  const redis = openCommands(redisUrl, config.RISK_REDIS_TIMEOUT_MS);
  stack.defer(() => redis.disconnect());
  await untilReady(redis, config.RISK_REDIS_TIMEOUT_MS);
  stack.use(watchGuards(guards, probe, redis, market));
  const replies = stack.use(openReplies({ url: redisUrl, market }));
  const corridorList = stack.use(await watchCorridors(() => listCorridors(database), log));
  const ingest = openIngest(config, {
    ...{ database, redis, guards, metrics, corridors: corridorList.corridors, log },
    system: await readSystem(database),
    failpoint: createFailpoint(context.environment[FAILPOINT_VARIABLE]),
  });
  const databases = {
    ...{ primary: database, replica, now: Date.now },
    hurried: stack.use(openSliceDatabase(config, databaseUrl, guards.postgres.run)),
    countRead: (...[database, why]: Parameters<CountRead>) => metrics.reads.inc({ database, why }),
  };
  const modelCache = createModelCache(databases);
  const exportsMax = config.RISK_EXPORTS_MAX;
  const exportDatabase = stack.use(
    openDatabase(config, databaseUrl, 'api-exports', {
      connectionsMax: exportsMax,
      guard: guards.postgres.run,
    }),
  );
  const exporting = { ...databases, primary: exportDatabase };
  const exports = createExports(exporting, exportsMax, metrics, isSubmitting);
  return { databases, probe, guards, metrics, redis, replies, ingest, modelCache, exports };
}

function listModules(
  context: CommandContext,
  resources: Resources &
    Pick<Front, 'awaitBody'> &
    Pick<Authenticator, 'authenticate'> & {
      readonly sessions: Sessions;
      readonly reading: Reading;
    },
): RouteModule[] {
  const { config, log, signal } = context;
  const { databases, probe, guards, metrics, ingest, authenticate, replies, reading } = resources;
  const { primary } = databases;
  const limits = {
    bytesMax: config.RISK_BODY_BYTES_MAX,
    timeoutMs: config.RISK_REQUEST_TIMEOUT_MS,
    awaitBody: resources.awaitBody,
    waitForCpu: createCpuQueue(),
  };
  const { modelCache } = resources;
  const evaluating = bindEvaluating(primary, modelCache, config.RISK_LABEL_MATURITY_DAYS, ingest);
  const operating = bindOperating(config, resources);
  const readLive = bindLive(config, primary, metrics, operating.readStatus);
  const readiness = createReadiness({
    postgres: () => proveWrite(probe).then(() => true),
    redis: () => claimIdentity(resources.redis, config.RISK_MARKET).then(() => true),
  });
  const bounds = { ...limits, waitMsMax: config.RISK_WAIT_MS_MAX };
  const transactions = transactionsRoutes(ingest, replies, reading, bounds, signal, log);
  const keys = createKeys(primary);
  const { targets, seal } = openWebhookParts(config);
  const webhooks = createWebhooks(primary, targets, seal);
  const live = { authenticate, signal, log };
  return [
    {
      routes: healthRoutes({
        ...{ isAlive: () => true, readiness, needs: ['postgres'] },
        health: guards.health,
        replica: () => databases.replica?.status() ?? null,
        draining: signal,
        metrics: {
          contentType: metrics.registry.contentType,
          metrics: () => scrape(primary, metrics),
        },
        authenticate,
      }),
      paths: healthPaths,
    },
    { routes: transactions, paths: transactionsPaths },
    { routes: labelsRoutes(ingest, reading, limits), paths: labelsPaths },
    {
      routes: exportsRoutes(resources.exports, {
        ...{ corridors: ingest.corridors, draining: signal, log },
        idleMsMax: config.RISK_EXPORT_IDLE_MS,
      }),
      paths: exportsPaths,
    },
    { routes: scoresRoutes(reading), paths: scoresPaths },
    { routes: evaluateRoutes(evaluating, reading, limits), paths: evaluatePaths },
    { routes: partiesRoutes(reading), paths: partiesPaths },
    { routes: summariesRoutes(reading), paths: summariesPaths },
    { routes: catalogueRoutes(ingest.corridors), paths: cataloguePaths },
    { routes: rulesRoutes(reading), paths: rulesPaths },
    { routes: modelWatchRoutes(reading), paths: modelWatchPaths },
    { routes: modelsRoutes({ ...createRegistry(primary), limits }), paths: modelsPaths },
    { routes: statusRoutes(operating), paths: statusPaths },
    { routes: liveRoutes({ readLive, ...live }), paths: livePaths },
    { routes: deadLettersRoutes({ ...operating, limits, log }), paths: deadLettersPaths },
    ...bindReviews(databases, limits, live, metrics),
    { routes: keysRoutes({ ...keys, limits }), paths: keysPaths },
    { routes: identitiesRoutes(keys), paths: identitiesPaths },
    { routes: sessionsRoutes(resources.sessions), paths: sessionsPaths },
    { routes: webhooksRoutes(webhooks, limits), paths: webhooksPaths },
    { routes: auditRoutes(keys), paths: auditPaths },
  ];
}

/** Connections are counted when the metrics are scraped. */
async function scrape(database: Database, metrics: Metrics): Promise<string> {
  reportConnections(metrics, database.usage());
  return await metrics.registry.metrics();
}
