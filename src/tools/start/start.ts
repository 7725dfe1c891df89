/**
 * `risk start`: runs the whole engine from a bare clone: services where no URL is given, schema, API and worker; scores a
 * sample, prints its ledger and serves until Ctrl-C. Parts stop in the reverse order: roles drain before their services end.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { apiKeyHash, mintApiKey } from '../../kit/access/api-key.ts';
import { otherBootstrapKey, storeBootstrapKey } from '../../kit/access/api-keys.ts';
import { createApiClient, createAsk } from '../../kit/client/api-client.ts';
import {
  type Command,
  type CommandContext,
  EXIT,
  integerOption,
  parseArguments,
} from '../../kit/command/command.ts';
import { noteRefused } from '../../kit/command/file-options.ts';
import { EXIT_BAD_CONFIGURATION } from '../../kit/config/config.ts';
import { migrate } from '../../kit/database/migrations/migrate.ts';
import { openDatabase } from '../../kit/database/open-database.ts';
import { Failure } from '../../kit/words/failure.ts';
import { balances, ledgerLine } from '../client/ledger.ts';
import { PLAIN_REPLAY, replayToLedger } from '../client/replay.ts';
import { type RoleOptions, runRole } from './role.ts';
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
import type { Supervision } from './services/supervise.ts';

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
  /** Rejects when a part is given up that was not stopped. */
  readonly partEnded: Promise<never>;
};

/** Starts all parts; what `owned` holds stops them. */
async function startEngine(
  context: CommandContext,
  screen: Screen,
  owned: AsyncDisposableStack,
): Promise<Engine> {
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
    onProgress: screen.doing,
    databaseUrl: config.DATABASE_URL,
    redisUrl: config.REDIS_URL,
  });
  const where = `data in ${shortPath(dataDir)}`;
  const services = owned.use(await screen.step('Postgres and Redis', starting, () => where));
  const { databaseUrl, redisUrl } = services;
  const corridors = config.RISK_CORRIDORS?.split(',') ?? [];
  const schema = { url: databaseUrl, market: config.RISK_MARKET, corridors };
  await screen.step('schema', migrate({ ...schema, onProgress: screen.doing }), (applied) =>
    applied.length === 0 ? 'up to date' : `${applied.length} migrations applied`,
  );
  const keyFile = given === undefined ? join(dataDir, API_KEY) : null;
  const key = given ?? readOrMakeSecret(join(dataDir, API_KEY), () => mintApiKey().key);
  await insistOnKey(context, databaseUrl, key, keyFile);
  const logFolder = join(dataDir, 'logs');
  // Developers try webhooks with a receiver on loopback.
  const settings = { RISK_WEBHOOK_LOOPBACK: 'allow', ...environment, DATABASE_URL: databaseUrl };
  // Loopback needs no TLS, and the health checks of this process ask by http.
  const own = { ...settings, REDIS_URL: redisUrl, RISK_BOOTSTRAP_KEY: key, RISK_TLS: '' };
  const roles = startRoles(context, { ...supervision, environment: own, logFolder, signal }, owned);
  const urls = await screen.step(
    'API and worker',
    roles,
    () => `ready; logs in ${shortPath(logFolder)}`,
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
  const other = isForeign ? await otherBootstrapKey(database, keyHash) : undefined;
  if (other !== undefined) {
    const why = `another engine has the key ${other} in the database of DATABASE_URL`;
    const mend = 'to that key, or to a new one, which revokes it';
    const said = `${why}: set RISK_BOOTSTRAP_KEY ${mend}; or unset DATABASE_URL for a Postgres of its own`;
    throw new Failure('invalid', 'KEY_OF_ANOTHER', said);
  }
  if (await storeBootstrapKey(database, keyHash, 'risk start')) return;
  const from = keyFile === null ? 'RISK_BOOTSTRAP_KEY' : shortPath(keyFile);
  const why = `the key of ${from} is revoked in this database: set RISK_BOOTSTRAP_KEY`;
  const said = `${why} to the key in force there or to a new one, which revokes that key`;
  throw new Failure('invalid', 'KEY_REVOKED', said);
}

const choosePort = ({ config, environment }: CommandContext) =>
  chooseApiPort(config.HOST, config.PORT, Boolean(environment['PORT']));

/** Starts both roles, and stops them together. */
async function startRoles(
  context: CommandContext,
  common: Omit<RoleOptions, 'name' | 'healthUrl'>,
  owned: AsyncDisposableStack,
): Promise<{ apiUrl: string; workerUrl: string }> {
  const { config, output } = context;
  const apiPort = await choosePort(context);
  if (config.PORT !== 0 && apiPort !== config.PORT) {
    const moved = `port ${config.PORT} is taken, so the API listens on ${apiPort}`;
    output.note(`    ${moved}; PORT chooses another`);
  }
  const workerPort = config.RISK_WORKER_PORT || (await freePort());
  const host = config.HOST === '0.0.0.0' || config.HOST === '::' ? '127.0.0.1' : config.HOST;
  const urlOf = (port: number) => `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const [apiUrl, workerUrl] = [urlOf(apiPort), urlOf(workerPort)];
  const ports = { PORT: String(apiPort), RISK_WORKER_PORT: String(workerPort) };
  const options = { ...common, environment: { ...common.environment, ...ports } };
  const starting = [
    runRole({ ...options, name: 'api', healthUrl: apiUrl }),
    runRole({ ...options, name: 'worker', healthUrl: workerUrl }),
  ];
  owned.defer(async () => {
    await Promise.allSettled(starting.map(async (role) => (await role)[Symbol.asyncDispose]()));
  });
  await Promise.all(starting);
  return { apiUrl, workerUrl };
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
  const { url, key, dataDir, databaseUrl } = engine;
  const { file } = await screen.step(
    'sample',
    readOrMakeSample(dataDir, transactions, Date.now(), signal),
    (sample) => `${sample.made ? 'simulated' : 'kept'}: ${shortPath(sample.file)}`,
  );
  const replaying = replayToLedger({ ...PLAIN_REPLAY, file, url, key, databaseUrl }, context);
  const { ledger, posted } = await Promise.race([replaying, engine.partEnded]);
  noteRefused(posted, output);
  output.note(`\n${ledgerSentence(ledger)}`);
  if (!output.json) await showWhereToLook(context, engine, isServed);
  output.value(ledger, [ledgerLine(ledger)]);
  return balances(ledger) && posted.refused === 0;
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
    const stopped = context.signal.aborted || once(context.signal, 'abort');
    await Promise.race([stopped, engine.partEnded]);
    context.output.note('\nstopping …');
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
