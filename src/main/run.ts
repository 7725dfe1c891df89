/**
 * `risk NAME …`. Composition root: reads the configuration, loads only the command that was named, and turns what the
 * command throws into an exit code.
 */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Room } from '../core/room.ts';
import {
  actionIn,
  type Command,
  type CommandContext,
  EXIT,
  parseArguments,
  URL_MISSING,
  UsageError,
  usageOf,
} from '../kit/command/command.ts';
import {
  createOutput,
  formatTable,
  type Output,
  type OutputStream,
} from '../kit/command/output.ts';
import {
  type Config,
  describeSettings,
  type Environment,
  EXIT_BAD_CONFIGURATION,
  readConfig,
} from '../kit/config/config.ts';
import { createLog, type Log } from '../kit/metrics/log.ts';
import { Failure, toError } from '../kit/words/failure.ts';
import { shortPath } from '../tools/start/screen.ts';
import { API_KEY, readEngineFile, readOwnKey } from '../tools/start/services/engine-file.ts';
import { openModels, ROOMS } from './rooms.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The process that runs a command, or a test. */
export type Host = {
  readonly environment: Environment;
  /** By default the streams of the process. */
  readonly stdout?: OutputStream;
  readonly stderr?: OutputStream;
  /** Aborted when the command is to end; a command that takes longer than `timeoutMs` from then on may be ended. */
  readonly openSignal: (log: Log, timeoutMs: number) => AbortSignal;
  readonly tellAlive?: () => void;
};

type CommandModule = { readonly command: Command };

/** A command's module is loaded only when it is needed. */
const COMMANDS: Required<Room>['commands'] = {
  start: () => import('../tools/start/start.ts'),
  api: () => role('api', 'serves HTTP', async () => (await import('./api.ts')).runApi),
  worker: () =>
    role('worker', 'scores transactions', async () => (await import('./worker.ts')).runWorker),
  trainer: () =>
    role('trainer', 'learns for a market', async () => (await import('./trainer.ts')).runTrainer),
  doctor: () => import('./doctor.ts'),
  simulate: () => import('../tools/simulate/command.ts'),
  replay: () => import('../tools/client/replay.ts'),
  ...Object.assign({}, ...ROOMS.map(({ commands }) => commands)),
};

/** The roles are composition roots of their own, so that they, not cli/, know every adapter. */
async function role(
  name: keyof typeof ROLE_SETTINGS,
  summary: string,
  load: () => Promise<(context: CommandContext) => Promise<number>>,
): Promise<CommandModule> {
  const usage = () => roleUsage(name, summary);
  const run: Command['run'] = async (args, context) => {
    parseArguments(args, {});
    return (await load())(context);
  };
  const { needs } = ROLE_SETTINGS[name];
  return { command: { name, summary: `One process that ${summary}.`, usage, needs, run } };
}

const STORES = ['DATABASE_URL', 'REDIS_URL'] as const;
/** Settings that somebody who starts a role decides on; the reference has all of them. */
const ROLE_SETTINGS = {
  api: { needs: STORES, reads: ['HOST', 'PORT', 'RISK_MARKET', 'RISK_BOOTSTRAP_KEY'] },
  worker: { needs: STORES, reads: ['RISK_WORKER_PORT', 'RISK_MARKET', 'RISK_WORKER_CORRIDORS'] },
  trainer: { needs: ['DATABASE_URL'], reads: ['RISK_WORKER_PORT', 'RISK_MARKET'] },
} as const;

async function roleUsage(name: keyof typeof ROLE_SETTINGS, summary: string): Promise<string> {
  const settings = new Map(describeSettings().map((setting) => [setting.name, setting]));
  const { needs, reads } = ROLE_SETTINGS[name];
  const rows = [...needs, ...reads].map((setting) => {
    const { description = '', byDefault = '' } = settings.get(setting) ?? {};
    const is = byDefault === '' ? description : `${description} (${byDefault})`;
    return { setting: `  ${setting}`, is };
  });
  return [
    `risk ${name}`,
    '',
    `One process that ${summary}. Everything is set by the environment; it needs ${needs.join(' and ')}:`,
    '',
    ...formatTable([{ field: 'setting' }, { field: 'is' }], rows).slice(1),
    '',
    'docs/reference.md#settings has all settings. risk migrate makes the schema first.',
  ].join('\n');
}

async function overview(): Promise<string> {
  const modules = await Promise.all(Object.values(COMMANDS).map((load) => load(openModels)));
  const rows = modules.map(({ command }) => ({
    name: `  ${command.name}`,
    summary: command.summary,
  }));
  const table = formatTable([{ field: 'name' }, { field: 'summary' }], rows).slice(1);
  return [
    'risk COMMAND [options]',
    '',
    ...table,
    '',
    'risk COMMAND [ACTION] --help tells more; --json makes any result JSON; --version prints the version.',
    'Exit codes: 0 fine, 1 failed, 2 usage, 3 could not be run here, 78 bad configuration.',
  ].join('\n');
}

async function version(): Promise<string> {
  const { default: manifest } = await import('../../package.json', { with: { type: 'json' } });
  return `risk ${manifest.version} (Node ${process.versions.node})`;
}

/** Resolves to the exit code. */
export async function run(argv: readonly string[], host: Host): Promise<number> {
  const [name, ...args] = argv;
  const flags = beforeSeparator(args);
  const { environment, stdout, stderr } = host;
  const output = createOutput({
    json: flags.includes('--json'),
    ...(stdout && { stdout }),
    ...(stderr && { stderr }),
  });
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    output.exactLine(await overview());
    return name === undefined ? EXIT.usage : EXIT.fine;
  }
  if (name === '--version') {
    output.exactLine(await version());
    return EXIT.fine;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) {
    output.error(`risk: unknown command '${name}'; risk --help lists them`);
    return EXIT.usage;
  }
  const { command } = await load(openModels);
  if (flags.includes('--help') || flags.includes('-h')) {
    output.exactLine(await usageOf(command, await actionIn(command, args)));
    return EXIT.fine;
  }
  const settings = readConfig(environment);
  if ('problems' in settings) {
    output.error('risk: bad configuration');
    const problems = [...settings.problems, ...missingUrls(command, environment)];
    for (const problem of problems) output.error(`  ${problem}`);
    return EXIT_BAD_CONFIGURATION;
  }
  const own = withDataFolder(settings.config, environment);
  const config = name === 'start' ? own : withEmbeddedUrls(own, environment);
  return runCommand(host, command, args, config, output);
}

/** `.data` is the engine's own, wherever it is called from; a folder given by name is the caller's. */
function withDataFolder(config: Config, environment: Environment): Config {
  const base = environment['RISK_DATA_DIR'] ? '.' : ROOT;
  return { ...config, RISK_DATA_DIR: resolve(base, config.RISK_DATA_DIR) };
}

/**
 * Where no URL is given and an embedded engine runs in the data folder, commands use its services and its API. `start` is
 * that engine, and refuses by itself when one runs already.
 */
function withEmbeddedUrls(config: Config, environment: Environment): Config {
  const engine = readEngineFile(config.RISK_DATA_DIR);
  return {
    ...config,
    DATABASE_URL: config.DATABASE_URL ?? engine?.databaseUrl,
    REDIS_URL: config.REDIS_URL ?? engine?.redisUrl,
    RISK_URL: environment['RISK_URL'] ? config.RISK_URL : (engine?.apiUrl ?? config.RISK_URL),
    ownApi: engine?.apiUrl
      ? {
          url: engine.apiUrl,
          key: readOwnKey(config.RISK_DATA_DIR),
          keyFile: shortPath(join(config.RISK_DATA_DIR, API_KEY)),
        }
      : undefined,
  };
}

/**
 * Reports missing URLs even when other settings are invalid, so it reads the URLs of the data folder by itself.
 */
function missingUrls({ name, needs = [] }: Command, environment: Environment): string[] {
  const folder = readConfig({ RISK_DATA_DIR: environment['RISK_DATA_DIR'] });
  const known =
    'config' in folder
      ? withEmbeddedUrls(withDataFolder(folder.config, environment), environment)
      : undefined;
  const missing = needs.filter((url) => !environment[url] && known?.[url] === undefined);
  return missing.map((url) => `${url}: is needed by ${name}`);
}

async function runCommand(
  { environment, stderr, openSignal, tellAlive }: Host,
  command: Command,
  args: string[],
  config: Config,
  output: Output,
): Promise<number> {
  const log = createLog(command.name, logLevel(command, environment, config), stderr);
  // The two commands wait for roles that drain within the timeout.
  const timeouts = command.name === 'start' || command.name === 'supervise' ? 2 : 1;
  const graceMs = command.name === 'api' ? config.RISK_SHUTDOWN_GRACE_MS : 0;
  const signal = openSignal(log, graceMs + config.RISK_SHUTDOWN_TIMEOUT_MS * timeouts);
  try {
    return await command.run(args, { config, environment, output, log, signal, tellAlive });
  } catch (thrown) {
    if (thrown instanceof UsageError) {
      const help = ['risk', command.name, await actionIn(command, args), '--help']
        .filter(Boolean)
        .join(' ');
      output.error(`risk ${command.name}: ${thrown.message}; see ${help}`);
      return EXIT.usage;
    }
    const error = toError(thrown);
    if (error instanceof Failure) {
      output.error(`risk ${command.name}: ${error.message}`);
      return EXIT_OF[error.code] ?? EXIT.failed;
    }
    log.fatal({ err: error }, 'bug: an unexpected error ended the command');
    return EXIT.failed;
  }
}

const EXIT_OF: Readonly<Record<string, number>> = {
  NOT_RUNNABLE_HERE: EXIT.impossibleHere,
  [URL_MISSING]: EXIT_BAD_CONFIGURATION,
};

/** Commands that run until they are stopped. */
const SERVE = ['api', 'worker', 'trainer', 'supervise'];

/** A person who runs a command reads its answer, not its log, unless `LOG_LEVEL` is set. */
function logLevel(command: Command, environment: Environment, config: Config): string {
  const quiet = !environment['LOG_LEVEL'] && !SERVE.includes(command.name);
  return quiet ? 'warn' : config.LOG_LEVEL;
}

/** Words after `--` are arguments, not options. */
function beforeSeparator(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--');
  return end < 0 ? args : args.slice(0, end);
}
