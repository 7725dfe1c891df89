/**
 * `risk start`: runs the whole engine from a bare clone: services where no URL is given, schema, API and worker; scores a
 * sample, prints its ledger and serves until Ctrl-C. Parts stop in the reverse order: roles drain before their services end.
 */
import { join, resolve } from 'node:path';
import { apiKeyHash, mintApiKey } from '../../kit/access/api-key.ts';
import { otherBootstrapKey } from '../../kit/access/api-keys.ts';
import { createApiClient, createAsk } from '../../kit/client/api-client.ts';
import {
  type Command,
  type CommandContext,
  EXIT,
  integerOption,
  parseArguments,
} from '../../kit/command/command.ts';
import { noteRefused } from '../../kit/command/file-options.ts';
import { type Environment, EXIT_BAD_CONFIGURATION } from '../../kit/config/config.ts';
import { migrate } from '../../kit/database/migrations/migrate.ts';
import { openDatabase } from '../../kit/database/open-database.ts';
import { Failure } from '../../kit/words/failure.ts';
import { balances, ledgerLine } from '../client/ledger.ts';
import { PLAIN_REPLAY, replayToLedger } from '../client/replay.ts';
import { runRole } from './role.ts';
import { beginSample, importSampleRates, SAMPLE_SETTINGS } from './sample/fill.ts';
import { readOrMakeSample } from './sample/transactions.ts';
import {
  createScreen,
  ledgerSentence,
  readRiskiest,
  type Screen,
  shortPath,
  whereToLook,
} from './screen.ts';
import { readOrMakeSecret } from './services/data-folder.ts';
import { API_KEY, writeEngineFile } from './services/engine-file.ts';
import { chooseApiPort, freePort } from './services/free-port.ts';
import { startEmbedded } from './services/start-embedded.ts';

const TRANSACTIONS = 20_000;

const USAGE = `risk start [--once] [--transactions N]

Starts everything on this machine: Postgres and Redis where DATABASE_URL or REDIS_URL is not given,
the schema, the API and a worker; scores a sample and prints its ledger; serves until Ctrl-C. In the
background its own Postgres gets labels, rates, a model, two people and decided cases of the sample.

  --once             stop after the ledger; exit code 0 only if it balances
  --transactions N   size of the sample (${TRANSACTIONS})

Data, keys and logs stay in RISK_DATA_DIR (.data), so a second start scores nothing twice.
`;

type Engine = {
  readonly url: string;
  readonly key: string;
  readonly keyFile: string | null;
  readonly dataDir: string;
  readonly databaseUrl: string;
  /** Resolves to a sentence when a part ends that was not stopped. */
  readonly partEnded: Promise<string>;
};

/** Starts all parts; what `owned` holds stops them. */
async function startEngine(
  context: CommandContext,
  screen: Screen,
  owned: AsyncDisposableStack,
): Promise<Engine> {
  const { config, environment, signal } = context;
  const dataDir = resolve(config.RISK_DATA_DIR);
  const logFolder = join(dataDir, 'logs');
  // A taken port is said before services start, and somebody may take the port meanwhile.
  await choosePort(context);
  const starting = () =>
    startEmbedded({
      dataDir,
      signal,
      environment,
      onProgress: screen.doing,
      say: context.output.note,
      databaseUrl: config.DATABASE_URL,
      redisUrl: config.REDIS_URL,
    });
  const services = owned.use(
    await screen.step('Postgres and Redis', starting, ({ redisKeepsData }) => {
      const inMemory = redisKeepsData ? '' : ' (Redis in memory only: rebuilt from Postgres)';
      return `data in ${shortPath(dataDir)}${inMemory}`;
    }),
  );
  const { databaseUrl, redisUrl } = services;
  const corridors = config.RISK_CORRIDORS?.split(',') ?? [];
  const schema = { url: databaseUrl, market: config.RISK_MARKET, corridors };
  await screen.step(
    'schema',
    () => migrate({ ...schema, onProgress: screen.doing }),
    (applied) => (applied.length === 0 ? 'up to date' : `${applied.length} migrations applied`),
  );
  const given = config.RISK_BOOTSTRAP_KEY;
  const keyFile = given === undefined ? join(dataDir, API_KEY) : null;
  const key = given ?? readOrMakeSecret(join(dataDir, API_KEY), () => mintApiKey().key);
  if (config.DATABASE_URL !== undefined && given === undefined) {
    await refuseOtherKey(context, databaseUrl, key);
  }
  const common = { DATABASE_URL: databaseUrl, REDIS_URL: redisUrl, RISK_BOOTSTRAP_KEY: key };
  const roles = await screen.step(
    'API and worker',
    () => startRoles(context, common, logFolder, owned),
    () => `ready; logs in ${shortPath(logFolder)}`,
  );
  writeEngineFile(dataDir, {
    pid: process.pid,
    databaseUrl,
    redisUrl,
    apiUrl: roles.url,
    workerUrl: roles.workerUrl,
  });
  await insistOnKey(roles.url, key, keyFile, signal);
  const partEnded = Promise.race([services.serviceEnded, roles.ended]);
  return { url: roles.url, key, keyFile, dataDir, databaseUrl, partEnded };
}

/** @throws Failure where the key of this data folder would revoke that of another engine, which may be running */
async function refuseOtherKey({ config }: CommandContext, databaseUrl: string, key: string) {
  await using database = openDatabase(config, databaseUrl, 'start', { connectionsMax: 1 });
  const other = await otherBootstrapKey(database, apiKeyHash(key));
  if (other === undefined) return;
  const why = `another engine has the key ${other} in the database of DATABASE_URL`;
  const mend = 'to that key, or to a new one, which revokes it';
  const said = `${why}: set RISK_BOOTSTRAP_KEY ${mend}; or unset DATABASE_URL for a Postgres of its own`;
  throw new Failure('invalid', 'KEY_OF_ANOTHER', said);
}

/** @throws Failure if the database revokes the key, because another engine has set another RISK_BOOTSTRAP_KEY there */
async function insistOnKey(url: string, key: string, keyFile: string | null, signal: AbortSignal) {
  const headers = { Authorization: `Bearer ${key}` };
  if ((await fetch(`${url}/v1/me`, { headers, signal })).status !== 401) return;
  const from = keyFile === null ? 'RISK_BOOTSTRAP_KEY' : shortPath(keyFile);
  const why = `the key of ${from} is revoked in this database: set RISK_BOOTSTRAP_KEY`;
  const said = `${why} to the key in force there or to a new one, which revokes that key`;
  throw new Failure('invalid', 'KEY_REVOKED', said);
}

const choosePort = ({ config, environment }: CommandContext) =>
  chooseApiPort(config.HOST, config.PORT, Boolean(environment['PORT']));

/** Starts both roles, and stops them together. @returns `ended`: resolves when a role is given up */
async function startRoles(
  context: CommandContext,
  common: Environment,
  logFolder: string,
  owned: AsyncDisposableStack,
): Promise<{ url: string; workerUrl: string; ended: Promise<string> }> {
  const { config, environment, output, signal } = context;
  const apiPort = await choosePort(context);
  if (config.PORT !== 0 && apiPort !== config.PORT) {
    const moved = `port ${config.PORT} is taken, so the API listens on ${apiPort}`;
    output.note(`    ${moved}; PORT chooses another`);
  }
  const workerPort = config.RISK_WORKER_PORT || (await freePort());
  const host = config.HOST === '0.0.0.0' || config.HOST === '::' ? '127.0.0.1' : config.HOST;
  const urlOf = (port: number) => `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const [url, workerUrl] = [urlOf(apiPort), urlOf(workerPort)];
  const start = (name: 'api' | 'worker', healthUrl: string, own: Environment) => {
    // Developers try webhooks with a receiver on loopback.
    const local = { RISK_WEBHOOK_LOOPBACK: 'allow', ...environment, ...common };
    // Loopback needs no TLS, and the health checks of this process ask by http.
    const settings = { ...local, RISK_TLS: '', ...own };
    return runRole({ name, environment: settings, healthUrl, logFolder, signal, say: output.note });
  };
  const starting = [
    start('api', url, { PORT: String(apiPort) }),
    start('worker', workerUrl, { RISK_WORKER_PORT: String(workerPort) }),
  ];
  owned.defer(async () => {
    await Promise.allSettled(starting.map(async (role) => (await role).stop()));
  });
  const roles = await Promise.all(starting);
  return { url, workerUrl, ended: Promise.race(roles.map(({ givenUp }) => givenUp)) };
}

/**
 * Scores the sample, prints where to look and the ledger; true when it balances.
 * @param isServed whether the engine serves after the sample, so that a link into the console is of use
 */
async function scoreSample(
  context: CommandContext,
  screen: Screen,
  engine: Engine,
  transactions: number,
  isServed: boolean,
): Promise<boolean> {
  const { output, signal } = context;
  const { file } = await screen.step(
    'sample',
    () => readOrMakeSample(engine.dataDir, transactions, Date.now(), signal),
    (sample) => `${sample.made ? 'simulated' : 'kept'}: ${shortPath(sample.file)}`,
  );
  const { url, key, databaseUrl } = engine;
  const replayed = replayToLedger({ ...PLAIN_REPLAY, file, url, key, databaseUrl }, context);
  const { ledger, posted } = await orEnded(replayed, engine.partEnded);
  noteRefused(posted, output);
  output.note(`\n${ledgerSentence(ledger)}`);
  if (!output.json) await showWhereToLook(context, engine, isServed);
  output.value(ledger, [ledgerLine(ledger)]);
  return balances(ledger) && posted.refused === 0;
}

/** Resolves to the work's value; fails at once when a part ends meanwhile. */
function orEnded<T>(work: Promise<T>, ended: Promise<string>): Promise<T> {
  return Promise.race([
    work,
    ended.then((how) => {
      throw new Failure('unavailable', 'PART_ENDED', how);
    }),
  ]);
}

async function showWhereToLook(
  { output, signal }: CommandContext,
  engine: Engine,
  isServed: boolean,
): Promise<void> {
  const { url, key } = engine;
  const client = createApiClient({ url, key, signal });
  try {
    const ask = createAsk(client);
    const { token } = isServed ? await ask('POST /v1/sessions/links', {}) : { token: null };
    const consoleUrl = token && `${url}/console#login=${token}`;
    const lines = whereToLook({ ...engine, consoleUrl }, await readRiskiest(ask));
    output.line(`\n${lines.join('\n')}\n`);
  } catch (error) {
    // The ledger counts what this start is for, so it is printed even where the API answers nothing else.
    if (!(error instanceof Failure)) throw error;
    output.error(`the riskiest cannot be read: ${error.message}`);
  }
}

/** Resolves when a stop is asked for; throws when a part ends before. */
async function serve(context: CommandContext, engine: Engine): Promise<void> {
  const { promise, resolve: stop } = Promise.withResolvers<void>();
  context.signal.addEventListener('abort', () => stop(), { once: true });
  if (context.signal.aborted) stop();
  await orEnded(promise, engine.partEnded);
  context.output.note('\nstopping …');
}

async function run(args: string[], context: CommandContext): Promise<number> {
  const { values } = parseArguments(args, {
    once: { type: 'boolean' },
    transactions: { type: 'string' },
  });
  if (context.config.markets.length > 1) {
    context.output.error('RISK_MARKETS: risk start runs one market');
    return EXIT_BAD_CONFIGURATION;
  }
  const bounds = { min: 1, max: 10_000_000 };
  const transactions = integerOption('--transactions', values.transactions, bounds, TRANSACTIONS);
  const screen = createScreen(context.output);
  try {
    await using owned = new AsyncDisposableStack();
    const isServed = values.once !== true;
    const takesSample = context.config.DATABASE_URL === undefined;
    const settings = takesSample && isServed ? SAMPLE_SETTINGS : {};
    const environment = { ...settings, ...context.environment };
    const engine = await startEngine({ ...context, environment }, screen, owned);
    if (takesSample) await importSampleRates(context, engine);
    const balanced = await scoreSample(context, screen, engine, transactions, isServed);
    if (!isServed) {
      context.output.note('\nStopping, as --once says; `npm start` serves all of this again.');
      return balanced ? EXIT.fine : EXIT.failed;
    }
    context.output.note(
      `\nServing. Ctrl-C, or kill ${process.pid}, drains and stops everything; the data stays.`,
    );
    if (takesSample) owned.use(beginSample(context, screen, engine, transactions));
    await serve(context, engine);
    return EXIT.fine;
  } catch (error) {
    // Stopped during the start: what the stop interrupted is no error.
    if (context.signal.aborted) return EXIT.failed;
    throw error;
  }
}

export const command: Command = {
  name: 'start',
  summary: 'Start everything here, score a sample, serve until Ctrl-C.',
  usage: USAGE,
  run,
};
