/**
 * `risk start`: runs the whole engine from a bare clone. Starts services where no URL is given, schema, API and
 * worker, a sample through all of it, its ledger, where to look; then it serves until Ctrl-C. Parts stop in the
 * reverse order: roles drain before their services end.
 */
import { join, resolve } from 'node:path';
import { createApiClient } from '../../kit/client/api-client.ts';
import { createAsk } from '../../kit/client/ask.ts';
import {
  type Command,
  type CommandContext,
  EXIT,
  integerOption,
  parseArguments,
} from '../../kit/command/command.ts';
import { noteRefused } from '../../kit/command/file-options.ts';
import { migrate } from '../../kit/database/migrations/migrate.ts';
import { Failure } from '../../kit/words/failure.ts';
import { balances, ledgerLine } from '../client/ledger.ts';
import { PLAIN_REPLAY, replayToLedger } from '../client/replay.ts';
import { chooseApiPort } from './api-port.ts';
import { readOrMakeKey } from './bootstrap-key.ts';
import { keepRole } from './keep-role.ts';
import { readRiskiest } from './riskiest.ts';
import { type RoleOptions, startRole } from './role-process.ts';
import { readOrMakeSample } from './sample.ts';
import { createScreen, ledgerSentence, type Screen, shortPath, whereToLook } from './screen.ts';
import { freePort } from './services/free-port.ts';
import { type Embedded, startEmbedded } from './services/start-embedded.ts';

const TRANSACTIONS = 20_000;

const USAGE = `risk start [--once] [--transactions N]

Starts everything on this machine: Postgres and Redis where DATABASE_URL or REDIS_URL is not given,
the schema, the API and a worker; scores a sample and prints its ledger; serves until Ctrl-C.

  --once             stop after the ledger; exit code 0 only if it balances
  --transactions N   size of the sample (${TRANSACTIONS})

Data, keys and logs stay in RISK_DATA_DIR (.data), so a second start scores nothing twice.
`;

type Engine = {
  readonly url: string;
  readonly key: string;
  readonly keyFile: string | null;
  readonly dataDir: string;
  readonly logFolder: string;
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
  const { config } = context;
  const dataDir = resolve(config.RISK_DATA_DIR);
  const logFolder = join(dataDir, 'logs');
  const services = owned.use(
    await screen.step(
      'Postgres and Redis',
      () => startServices(context, dataDir, screen),
      ({ redisKeepsData }) =>
        `data in ${shortPath(dataDir)}${redisKeepsData ? '' : ' (Redis in memory only: rebuilt from Postgres)'}`,
    ),
  );
  const { databaseUrl, redisUrl } = services;
  const corridors = config.RISK_CORRIDORS?.split(',') ?? [];
  await screen.step(
    'schema',
    () =>
      migrate({
        ...{ url: databaseUrl, market: config.RISK_MARKET, corridors },
        onProgress: screen.doing,
      }),
    (applied) => (applied.length === 0 ? 'up to date' : `${applied.length} migrations applied`),
  );
  const { key, file: keyFile } = readOrMakeKey(config.RISK_BOOTSTRAP_KEY, dataDir);
  const roles = await screen.step(
    'API and worker',
    () => startRoles(context, { databaseUrl, redisUrl, key, logFolder }, owned),
    () => `ready; logs in ${shortPath(logFolder)}`,
  );
  const partEnded = Promise.race([services.serviceEnded, roles.ended]);
  return { url: roles.url, key, keyFile, dataDir, logFolder, databaseUrl, partEnded };
}

function startServices(
  { config, environment, log, signal }: CommandContext,
  dataDir: string,
  screen: Screen,
): Promise<Embedded> {
  return startEmbedded({
    dataDir,
    // State changes of the services are steps on the screen, so only warnings are worth a log line.
    log: environment['LOG_LEVEL'] === undefined ? log.child({}, { level: 'warn' }) : log,
    signal,
    onProgress: screen.doing,
    databaseUrl: config.DATABASE_URL,
    redisUrl: config.REDIS_URL,
    environment,
  });
}

type RoleSettings = {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly key: string;
  readonly logFolder: string;
};

async function startRoles(
  { config, environment, output, signal }: CommandContext,
  { databaseUrl, redisUrl, key, logFolder }: RoleSettings,
  owned: AsyncDisposableStack,
): Promise<{ url: string; ended: Promise<string> }> {
  const given = environment['PORT'] !== undefined && environment['PORT'] !== '';
  const apiPort = await chooseApiPort(config.HOST, config.PORT, given);
  const workerPort = config.RISK_WORKER_PORT || (await freePort());
  const common = {
    ...environment,
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    RISK_BOOTSTRAP_KEY: key,
  };
  const host = config.HOST === '0.0.0.0' || config.HOST === '::' ? '127.0.0.1' : config.HOST;
  const urlOf = (port: number) => `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const { ended } = await startAll(
    [
      {
        ...{ role: 'api', name: 'api', logFolder, signal },
        environment: { ...common, PORT: String(apiPort) },
        healthUrl: urlOf(apiPort),
      },
      {
        ...{ role: 'worker', name: 'worker', logFolder, signal },
        environment: { ...common, RISK_WORKER_PORT: String(workerPort) },
        healthUrl: urlOf(workerPort),
      },
    ],
    output.note,
    owned,
  );
  return { url: urlOf(apiPort), ended };
}

/**
 * Starts all roles or none: where one does not start, the others are stopped. They stop together. Resolves once
 * all are ready, to a promise that resolves when one of them could not be kept running.
 */
async function startAll(
  roles: readonly RoleOptions[],
  say: (text: string) => void,
  owned: AsyncDisposableStack,
): Promise<{ ended: Promise<string> }> {
  const results = await Promise.allSettled(roles.map(startRole));
  const kept = roles.flatMap((role, index) => {
    const result = results[index];
    if (result?.status !== 'fulfilled') return [];
    const start = (signal: AbortSignal) => startRole({ ...role, signal, isAgain: true });
    return [keepRole(result.value, { name: role.name, start, say })];
  });
  owned.defer(async () => {
    await Promise.all(kept.map((role) => role.stop()));
  });
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return { ended: Promise.race(kept.map((role) => role.givenUp)) };
}

type SampleOptions = {
  readonly transactions: number;
  /** Whether the engine serves after the sample, so that a link into the console is of use. */
  readonly isServed: boolean;
};

/** Scores the sample, prints where to look and the ledger; true when it balances. */
async function scoreSample(
  context: CommandContext,
  screen: Screen,
  engine: Engine,
  { transactions, isServed }: SampleOptions,
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
  await showWhereToLook(context, engine, isServed);
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
  if (output.json) return;
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
  const bounds = { min: 1, max: 10_000_000 };
  const transactions = integerOption('--transactions', values.transactions, bounds, TRANSACTIONS);
  const screen = createScreen(context.output);
  try {
    await using owned = new AsyncDisposableStack();
    const engine = await startEngine(context, screen, owned);
    const isServed = values.once !== true;
    const balanced = await scoreSample(context, screen, engine, { transactions, isServed });
    if (!isServed) {
      context.output.note('\nStopping, as --once says; `npm start` serves all of this again.');
      return balanced ? EXIT.fine : EXIT.failed;
    }
    context.output.note('\nServing. Ctrl-C drains and stops everything; the data stays.');
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
