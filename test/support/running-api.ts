/** An API on a database and a Redis of its own; no worker runs, so appended entries stay visible. */
import { Redis } from 'ioredis';
import { type ApiRun, runApiHere } from './api-here.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { openForFile } from './open-for-file.ts';
import { type RiskProcess, runRiskProcess, spawnRisk } from './risk.ts';
import { runRisk } from './run-risk.ts';
import { startTestRedis } from './services.ts';
import { startWorkerHere } from './worker-rig.ts';

/** A key with every role but those that approve. */
export const RUNNING_API_KEY = 'running-api-key-of-at-least-32-characters';
const START_MS = 30_000;

export type RunningApi = Awaited<ReturnType<typeof startRunningApi>>;

type Settings = Readonly<Record<string, string>>;

/**
 * @param environment settings beside those it needs
 * @param ofDatabase settings of the database in Postgres
 */
export async function startRunningApi(environment: Settings = {}, ofDatabase: Settings = {}) {
  return await open(environment, { runApi: runApiHere, runCommand: runRisk }, ofDatabase);
}

/** The API of a test file. */
export const openRunningApi = (...settings: Parameters<typeof startRunningApi>) =>
  openForFile(startRunningApi(...settings));

/** The API and commands as processes of their own, for tests that end the API or set what belongs to a process. */
export async function spawnRunningApi(environment: Settings = {}) {
  const opened = await open(environment, { runApi: spawnApi, runCommand: runRiskProcess });
  return { ...opened, process: opened.run.process };
}

async function spawnApi(
  environment: Settings,
): Promise<ApiRun & { readonly process: RiskProcess }> {
  await using stack = new AsyncDisposableStack();
  const process = stack.use(spawnRisk(['api'], environment));
  const [, url = ''] = await process.waitFor(/"url":"(https?:[^"]+)"/, START_MS);
  const log = () => process.stdout() + process.stderr();
  const stop = async () => {
    process.kill('SIGTERM');
    return await process.exited;
  };
  stack.move();
  return { url, process, log, stop };
}

type Means<Run> = {
  readonly runApi: (environment: Settings) => Promise<Run>;
  readonly runCommand: typeof runRisk;
};

async function open<Run extends ApiRun>(
  environment: Settings,
  { runApi, runCommand }: Means<Run>,
  ofDatabase: Settings = {},
) {
  await using stack = new AsyncDisposableStack();
  const testDatabase = stack.use(await createTestDatabase({ settings: ofDatabase }));
  const database = stack.use(testDatabase.open());
  const redisService = stack.use(await startTestRedis());
  const redis = new Redis(redisService.url);
  // A test that stops Redis waits for it itself.
  redis.on('error', () => undefined);
  stack.defer(() => redis.disconnect());
  const stores = { DATABASE_URL: testDatabase.url, REDIS_URL: redisService.url };
  const run = await runApi({
    ...stores,
    RISK_BOOTSTRAP_KEY: RUNNING_API_KEY,
    PORT: '0',
    ...environment,
  });
  const { url, log } = run;
  const owned = stack.move();
  /** `risk ARGS` against this API. */
  const risk = (...args: string[]) =>
    runCommand(args, { RISK_URL: url, RISK_API_KEY: RUNNING_API_KEY });
  /** Sends a request with RUNNING_API_KEY. */
  const request = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has('Authorization')) headers.set('Authorization', `Bearer ${RUNNING_API_KEY}`);
    return await fetch(`${url}${path}`, { ...init, headers });
  };
  return {
    ...{ run, url, log, testDatabase, database, redisService, redis, request, risk },
    post: (path: string, body: object) =>
      request(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'Content-Type': 'application/json' },
      }),
    /** A worker on the API's stores, in this process; dispose it before the API. */
    startWorker: (settings: Settings = {}) => startWorkerHere({ ...stores, ...settings }),
    /** `risk ARGS --json`, which must succeed and print nothing else. */
    riskJson: async (...args: string[]): Promise<unknown> => {
      const { code, stdout, stderr } = await risk(...args, '--json');
      if (code !== 0 || stderr !== '') throw new Error(`exit ${code}: ${stdout}${stderr}`);
      return JSON.parse(stdout);
    },
    /** Empties both stores. */
    reset: async () => {
      await emptyTables(testDatabase.sql);
      await redis.flushall();
    },
    [Symbol.asyncDispose]: async () => {
      await run.stop();
      await owned.disposeAsync();
    },
  };
}

const TABLES = [
  'transactions',
  'scores',
  'labels',
  'dead_letters',
  'open_rows',
  'daily_increments',
  'daily_tallies',
  'tally_days',
  'total_tallies',
  'profile_snapshots',
];

/** A statement for each table: the API reads several at once, in another order, and would wait for a table that is locked already. */
async function emptyTables(sql: TestDatabase['sql']): Promise<void> {
  for (const table of TABLES) await sql(`truncate ${table}`);
}
