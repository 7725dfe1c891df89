/**
 * Commands of `bin/risk`. Rooms and tools export commands; `src/main/cli.ts` lists them, reads the configuration,
 * answers `--help`, and turns a `UsageError` into exit code 2 and a thrown Failure into exit code 1.
 */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import type { Config, Environment } from '../config/config.ts';
import type { Log } from '../metrics/log.ts';
import { Failure, type StoreSetting } from '../words/failure.ts';
import type { Output } from './output.ts';

export type CommandContext = {
  readonly config: Config;
  /** The environment as given, for children; settings are read from `config`. */
  readonly environment: Environment;
  readonly output: Output;
  readonly log: Log;
  /** Aborted by the first SIGINT or SIGTERM; a second one ends the process at once. */
  readonly signal: AbortSignal;
  /** Tells a supervisor that this process lives; absent where no process is behind the command. */
  readonly tellAlive?: (() => void) | undefined;
};

export type Command = {
  readonly name: string;
  /** A line for the table of `risk --help`. */
  readonly summary: string;
  /** Words that choose an action, each of which has a usage of its own. */
  readonly actions?: () => Promise<readonly string[]>;
  /** Printed by `risk NAME --help`, or of one action by `risk NAME ACTION --help`; starts with these words. */
  readonly usage: string | ((action?: string) => Promise<string>);
  /**
   * Settings that the command cannot run without; missing ones are reported together with all other problems of
   * the configuration.
   */
  readonly needs?: readonly StoreSetting[];
  /** Resolves to the exit code. */
  run(args: string[], context: CommandContext): Promise<number>;
};

/** Exit codes; 78 (bad configuration) stands in src/kit/config/config.ts. */
export const EXIT = { fine: 0, failed: 1, usage: 2, impossibleHere: 3 } as const;

export async function usageOf({ usage }: Command, action?: string): Promise<string> {
  return (typeof usage === 'string' ? usage : await usage(action)).trimEnd();
}

/** Where the word that chooses an action stands; -1 where there is none. */
export const actionAt = (args: readonly string[]) => args.findIndex((arg) => !arg.startsWith('-'));

/** The action that the arguments choose; undefined where the command has no such action. */
export const actionIn = async ({ actions }: Command, args: readonly string[]) =>
  (await actions?.())?.find((action) => action === args[actionAt(args)]);

/** @throws Failure where a signal ended the work, which says what the same command does next */
export async function unlessStopped<T>(
  { signal }: Pick<CommandContext, 'signal'>,
  said: string,
  work: Promise<T>,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw signal.aborted ? new Failure('permanent', 'STOPPED', `stopped; ${said}`) : error;
  }
}

/** Code of the Failure that says that a URL is not set, which is a bad configuration: exit code 78. */
export const URL_MISSING = 'URL_MISSING';

/** The command line is wrong: exit code 2, and the message on standard error. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** Options of every command: `Output.json` has `--json`, and `--help` is answered before `run`. */
const COMMON_OPTIONS = {
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsOptionsConfig;

/** Words that a command takes beside its options, by the names that its usage gives them. */
export type Words = {
  readonly required: readonly string[];
  /** Most words, where further ones may follow. */
  readonly max?: number;
};
const NO_WORDS: Words = { required: [] };

/** Parses the arguments of one command; an unknown flag or a wrong number of words is a UsageError. */
export function parseArguments<const Options extends ParseArgsOptionsConfig>(
  args: string[],
  options: Options,
  { required, max = required.length }: Words = NO_WORDS,
) {
  const all = { ...options, ...COMMON_OPTIONS };
  const parsed = strictly(options, () => parseArgs({ args, options: all, allowPositionals: true }));
  const { positionals } = parsed;
  const missing = required[positionals.length];
  if (missing !== undefined) throw new UsageError(`${missing} is missing`);
  if (positionals.length > max)
    throw new UsageError(`unexpected argument '${positionals[max] ?? ''}'`);
  return parsed;
}

/** Says in our words what `parseArgs` refuses; it names the flag in quotes. */
function strictly<T>(options: ParseArgsOptionsConfig, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof TypeError && 'code' in error)) throw error;
    const flag = /'[^']*?(--?[\w-]+)[^']*'/.exec(error.message)?.[1] ?? 'an option';
    if (error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') {
      const names = Object.keys({ ...options, ...COMMON_OPTIONS }).map((name) => `--${name}`);
      throw new UsageError(`there is no option ${flag}; there are ${names.join(', ')}`);
    }
    if (options[flag.slice(2)]?.type !== 'string') throw new UsageError(`${flag} takes no value`);
    const dashed = `write ${flag}=VALUE where it begins with a dash`;
    throw new UsageError(`${flag} needs a value${isAmbiguous(error) ? `; ${dashed}` : ''}`);
  }
}

/** A word with a dash follows the option: Node does not take it for the option's value. */
const isAmbiguous = ({ message }: TypeError) => message.includes('ambiguous');

/** Reads an option that takes one of a few words. Throws a UsageError that lists the words. */
export function wordOption<T extends string>(flag: string, text: string, words: readonly T[]): T {
  const known = words.find((word) => word === text);
  if (known === undefined) throw unknownWord(flag, text, words);
  return known;
}

/** The action of a command that a word names. Throws a UsageError that lists the words. */
export function actionOf<A>(actions: Readonly<Record<string, A>>, word: string): A {
  const action = Object.hasOwn(actions, word) ? actions[word] : undefined;
  if (action === undefined) throw unknownWord('the action', word, Object.keys(actions));
  return action;
}

const unknownWord = (what: string, text: string, words: readonly string[]) =>
  new UsageError(`${what} must be one of ${words.join(', ')}, not '${text}'`);

type IntegerBounds = { readonly min: number; readonly max: number };

/** A whole number given as text (`--batch 1000`), or `byDefault` when the option is absent. */
export function integerOption<Default>(
  flag: string,
  text: string | undefined,
  { min, max }: IntegerBounds,
  byDefault: Default,
): number | Default {
  if (text === undefined) return byDefault;
  const value = Number(text);
  if (!/^-?\d+$/.test(text) || value < min || value > max) {
    throw new UsageError(`${flag} must be a whole number from ${min} to ${max}, not '${text}'`);
  }
  return value;
}
