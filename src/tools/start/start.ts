/**
 * `risk start`: runs the whole engine from a bare clone: services where no URL is given, schema, API, worker and trainer; scores a
 * sample, prints its ledger and serves until Ctrl-C. Parts stop in the reverse order: roles drain before their services end.
 */
import { once } from 'node:events';
import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { apiKeyHash, mintApiKey } from '../../kit/access/api-key.ts';
import { findOtherBootstrap, storeBootstrapKey } from '../../kit/access/api-keys.ts';
import { createApiClient, createAsk } from '../../kit/client/api-client.ts';
import { type CommandContext, EXIT } from '../../kit/command/command.ts';
import { noteRefused } from '../../kit/command/file-options.ts';
import { whole } from '../../kit/command/options.ts';
import { commandOf, written } from '../../kit/command/rows.ts';
import { EXIT_BAD_CONFIGURATION } from '../../kit/config/config.ts';
import { migrate } from '../../kit/database/migrations/migrate.ts';
import { isPooled, openDatabase } from '../../kit/database/open-database.ts';
import { Failure, toError } from '../../kit/words/failure.ts';
import { balances, type Ledger, ledgerLine, sumLedgers } from '../client/ledger.ts';
import { PLAIN_REPLAY, replayToLedger } from '../client/replay.ts';
import {
  beginSample,
  importSampleRates,
  learnPart,
  readOrMakeSample,
  SAMPLE_SETTINGS,
  type SampledEngine,
} from './sample.ts';
import {
  ledgerSentence,
  readRiskiest,
  sayNewestTable,
  shortPath,
  showStep,
  whereToLook,
} from './screen.ts';
import { ownAccount } from './services/account.ts';
import { readOrMakeSecret } from './services/data-folder.ts';
import { API_KEY, writeEngineFile } from './services/engine-file.ts';
import { LAUNCHER } from './services/executable.ts';
import { chooseApiPort, freePort } from './services/free-port.ts';
import { API_NICENESS } from './services/raise-priority.ts';
import { type ReadySpec, startOnPort, startReady } from './services/service-process.ts';
import { startEmbedded } from './services/start-embedded.ts';
import { type Supervision, supervise } from './services/supervise.ts';

const TRANSACTIONS = 20_000;

const OPTIONS = {
  '--once': 'Stop after the ledger; exit code 0 only if it balances',
  '--transactions N': whole('Size of the sample', { min: 1, max: 10_000_000 }, TRANSACTIONS),
} as const;

type Engine = SampledEngine & {
  readonly keyFile: string | null;
  /** Rejects when a part is given up that was not stopped. */
  readonly partEnded: Promise<never>;
};

/** Starts all parts; what `owned` holds stops them. */
async function startEngine(context: CommandContext, owned: AsyncDisposableStack): Promise<Engine> {
  const { config, environment, output, signal } = context;
  const { RISK_DATA_DIR: dataDir, RISK_BOOTSTRAP_KEY: given } = config;
  const { promise: partEnded, reject } = Promise.withResolvers<never>();
  partEnded.catch(() => undefined);
  const supervision: Supervision = {
    say: output.note,
    giveUp: (why) => reject(new Failure('unavailable', 'PART_ENDED', why)),
  };
  // A taken port is said before services start, and somebody may take the port meanwhile.
  await choosePort(context);
  const starting = startEmbedded({
    ...supervision,
    dataDir,
    signal,
    environment,
    databaseUrl: config.DATABASE_URL,
    redisUrl: config.REDIS_URL,
  });
  const where = `data in ${shortPath(dataDir)}`;
  const services = owned.use(await showStep(output, 'Postgres and Redis', starting, () => where));
  const { databaseUrl, redisUrl } = services;
  const corridors = config.RISK_CORRIDORS?.split(',') ?? [];
  const market = config.RISK_MARKET;
  const schema = { url: databaseUrl, market, isPooled: isPooled(config), corridors };
  await showStep(output, 'schema', migrate(schema), (applied) =>
    applied.length === 0 ? 'up to date' : `${applied.length} migrations applied`,
  );
  const keyFile = given === undefined ? join(dataDir, API_KEY) : null;
  const key = given ?? readOrMakeSecret(join(dataDir, API_KEY), () => mintApiKey().key);
  await insistOnKey(context, databaseUrl, key, keyFile);
  const stores = { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, RISK_BOOTSTRAP_KEY: key };
  const urls = await showStep(
    output,
    'API, worker and trainer',
    startRoles({ ...context, environment: { ...environment, ...stores } }, supervision, owned),
    () => `ready; logs in ${shortPath(join(dataDir, 'logs'))}`,
  );
  writeEngineFile(dataDir, { databaseUrl, redisUrl, ...urls });
  return { url: urls.apiUrl, key, keyFile, dataDir, databaseUrl, partEnded };
}

/**
 * Stores the key, as an API does.
 * @throws Failure where the key is revoked, or where the key of this data folder would revoke that of another engine, which may
 * be running
 */
async function insistOnKey(
  { config }: CommandContext,
  databaseUrl: string,
  key: string,
  keyFile: string | null,
): Promise<void> {
  await using database = openDatabase(config, databaseUrl, 'start', { connectionsMax: 1 });
  const keyHash = apiKeyHash(key);
  const isForeign = config.DATABASE_URL !== undefined && keyFile !== null;
  const other = isForeign ? await findOtherBootstrap(database.query, keyHash) : undefined;
  const mend = 'set RISK_BOOTSTRAP_KEY to the key in force there or to a new one, which revokes it';
  if (other !== undefined) {
    const why = `another engine has the key ${other.key_id} in the database of DATABASE_URL`;
    const said = `${why}: ${mend}; or unset DATABASE_URL for a Postgres of its own`;
    throw new Failure('invalid', 'KEY_OF_ANOTHER', said);
  }
  if (await storeBootstrapKey(database, keyHash, 'risk start')) return;
  const from = keyFile === null ? 'RISK_BOOTSTRAP_KEY' : shortPath(keyFile);
  const said = `the key of ${from} is revoked in this database: ${mend}`;
  throw new Failure('invalid', 'KEY_REVOKED', said);
}

const choosePort = ({ config, environment }: Pick<CommandContext, 'config' | 'environment'>) =>
  chooseApiPort(config.HOST, config.PORT, Boolean(environment['PORT']));

/** Longer than a role waits for its schema, so that its own error message is read. */
const READY_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 2_000;

/** Starts the roles, and stops them together. SIGINT drains a role. */
async function startRoles(
  { config, environment, output, signal }: CommandContext,
  supervision: Supervision,
  owned: AsyncDisposableStack,
): Promise<{ apiUrl: string; workerUrl: string }> {
  const host = config.HOST === '0.0.0.0' || config.HOST === '::' ? '127.0.0.1' : config.HOST;
  const urlOf = (port: number) => `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  // Another engine may answer at a port that the API has not got; that engine does not know the key.
  const headers = { Authorization: `Bearer ${environment['RISK_BOOTSTRAP_KEY']}` };
  const answers = async (address: string) =>
    (await fetch(address, { headers, signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) })).ok;
  const start = async (name: 'api' | 'worker' | 'trainer', choose: () => Promise<number>) => {
    const logFile = join(config.RISK_DATA_DIR, 'logs', `${name}.log`);
    // Each start of the engine has a log of its own; the log of the start before stays beside it.
    if (existsSync(logFile)) renameSync(logFile, `${logFile}.1`);
    const specOf = (port: number): ReadySpec => ({
      name,
      program: '/bin/sh',
      args: [LAUNCHER, name],
      environment: {
        // Developers try webhooks with a receiver on loopback.
        RISK_WEBHOOK_LOOPBACK: 'allow',
        // No balancer has to notice that the API stops.
        RISK_SHUTDOWN_GRACE_MS: '0',
        ...environment,
        // Loopback needs no TLS, and the health checks of this process ask by http.
        RISK_TLS: '',
        [name === 'api' ? 'PORT' : 'RISK_WORKER_PORT']: String(port),
      },
      account: ownAccount(),
      cwd: process.cwd(),
      logFile,
      niceness: name === 'api' ? API_NICENESS : undefined,
      isReady: async () =>
        (await answers(`${urlOf(port)}/readyz`)) &&
        (name !== 'api' || (await answers(`${urlOf(port)}/v1/me`))),
      timeoutMs: READY_TIMEOUT_MS,
    });
    const { port, service } = await startOnPort(choose, specOf, signal);
    const again = (stopping: AbortSignal) => startReady(specOf(port), stopping);
    return { port, role: supervise(name, service, again, supervision) };
  };
  const starting = [
    start('api', () => choosePort({ config, environment })),
    start('worker', async () => config.RISK_WORKER_PORT || (await freePort())),
    start('trainer', freePort),
  ] as const;
  owned.defer(async () => {
    const stop = async (started: (typeof starting)[number]) =>
      (await started).role[Symbol.asyncDispose]();
    await Promise.allSettled(starting.map(stop));
  });
  const [api, worker] = await Promise.all(starting);
  if (config.PORT !== 0 && api.port !== config.PORT) {
    const moved = `port ${config.PORT} is taken, so the API listens on ${api.port}`;
    output.note(`    ${moved}; PORT chooses another`);
  }
  return { apiUrl: urlOf(api.port), workerUrl: urlOf(worker.port) };
}

/**
 * Scores the sample, prints where to look and the ledger; true when it balances.
 * @param isServed whether the engine serves after the sample, so that a link into the console is of use
 */
async function scoreSample(
  context: CommandContext,
  engine: Engine,
  transactions: number,
  isServed: boolean,
): Promise<boolean> {
  const { output, signal } = context;
  const { url, key, dataDir, databaseUrl } = engine;
  const { parts } = await showStep(
    output,
    'sample',
    readOrMakeSample(dataDir, transactions, signal),
    ({ made, parts: [first] }) =>
      `${made ? 'simulated' : 'kept'}: ${shortPath(first?.file ?? dataDir)}`,
  );
  const takesSample = context.config.DATABASE_URL === undefined;
  const ledgers: Ledger[] = [];
  let refused = 0;
  for (const [nth, part] of parts.entries()) {
    const settings = { ...PLAIN_REPLAY, files: [part.file], url, key, databaseUrl };
    const replaying = replayToLedger(settings, context);
    const replayed = await Promise.race([replaying, engine.partEnded]);
    ledgers.push(replayed.ledger);
    noteRefused(replayed.posted, output);
    refused += replayed.posted.refused;
    if (!takesSample) continue;
    await learnPart(context, engine, part, nth, nth === parts.length - 1).catch((error: unknown) =>
      output.error(`the sample taught nothing: ${toError(error).message}`),
    );
  }
  const ledger = sumLedgers(ledgers);
  output.note(`\n${ledgerSentence(ledger)}`);
  if (!output.json) {
    // The ledger counts what this start is for, so it is printed even where the API answers nothing else.
    await showWhereToLook(context, engine, isServed).catch((error: unknown) =>
      output.error(`the riskiest cannot be read: ${toError(error).message}`),
    );
  }
  output.value(ledger, [ledgerLine(ledger)]);
  return balances(ledger) && refused === 0;
}

async function showWhereToLook(
  { output, signal }: CommandContext,
  engine: Engine,
  isServed: boolean,
): Promise<void> {
  const ask = createAsk(createApiClient({ ...engine, signal }));
  const link = isServed ? await ask('POST /v1/sessions/links', {}) : undefined;
  const consoleUrl = link === undefined ? null : `${engine.url}/console#login=${link.token}`;
  const table = await sayNewestTable(ask, engine.url);
  const lines = whereToLook({ ...engine, consoleUrl, table }, await readRiskiest(ask));
  output.line(`\n${lines.join('\n')}\n`);
}

const STARTS =
  'Starts everything on this machine: Postgres and Redis where DATABASE_URL or REDIS_URL is not given, the schema, the API, a worker and a trainer; scores a sample and prints its ledger; serves until Ctrl-C';
const start = written('', STARTS, OPTIONS, async ({ values }, context) => {
  const { config, output, signal } = context;
  if (config.markets.length > 1) {
    output.error('RISK_MARKETS: risk start runs one market');
    return EXIT_BAD_CONFIGURATION;
  }
  const { transactions } = values;
  const isServed = !values.once;
  const takesSample = config.DATABASE_URL === undefined;
  const settings = takesSample && isServed ? SAMPLE_SETTINGS : {};
  const environment = { ...settings, ...context.environment };
  try {
    await using owned = new AsyncDisposableStack();
    const engine = await startEngine({ ...context, environment }, owned);
    if (takesSample) await importSampleRates(context, engine);
    const isBalanced = await scoreSample(context, engine, transactions, isServed);
    if (!isServed) {
      output.note('\nStopping, as --once says; `npm start` serves all of this again.');
      return isBalanced ? EXIT.fine : EXIT.failed;
    }
    const stops = `Ctrl-C, or kill ${process.pid}, drains and stops everything; the data stays.`;
    output.note(`\nServing. ${stops}`);
    if (takesSample) owned.use(beginSample(context, engine));
    await Promise.race([signal.aborted || once(signal, 'abort'), engine.partEnded]);
    output.note('\nstopping …');
    return EXIT.fine;
  } catch (error) {
    // Stopped during the start: what the stop interrupted is no error.
    if (signal.aborted) return EXIT.failed;
    throw error;
  }
});

export const command = commandOf({
  name: 'start',
  summary: 'Start everything here, score a sample, serve until Ctrl-C.',
  notes: `Its own Postgres gets rates, labels and, in the background, a model, two people and decided cases of the sample. Data, keys and logs stay in
RISK_DATA_DIR (.data), so a second start scores nothing twice.`,
  actions: { '': start },
});
