/**
 * Commands that are data: a row names an operation of the API, and one runner reads its options from the OpenAPI
 * document, calls the API and prints the answer. Only actions that need a file, a loop or a screen are written by hand.
 */
import { type ApiClient, type AskApi, createAsk } from '../client/api-client.ts';
import type { DocumentPart } from '../http/document.ts';
import { withApi } from './api.ts';
import {
  actionAt,
  actionOf,
  type Command,
  type CommandContext,
  EXIT,
  UsageError,
  type Words,
} from './command.ts';
import { type CalledOperation, readOperations } from './operation.ts';
import { type Options, readArguments, URL_OPTION, type ValuesOf } from './options.ts';
import { describeRow, type Row, runRow } from './run-row.ts';
import { type ShownAction, usageText } from './usage.ts';

type Written = Omit<ShownAction, 'word'> & { readonly run: Command['run'] };

type Given<Own extends Options> = {
  readonly values: ValuesOf<Own>;
  readonly words: readonly string[];
};
export type Asking = { readonly client: ApiClient; readonly ask: AskApi };

/** As many ids as one request takes; more words are a list that belongs in a file. */
const WORDS_MAX = 1000;

/** @param words with brackets around those that may be absent, and `…` behind one that may be repeated */
function wordsIn(words: string): Words {
  const names = words.split(' ').filter((name) => name !== '');
  return {
    required: names.filter((name) => !name.startsWith('[')).map((name) => name.replace('…', '')),
    max: words.includes('…') ? WORDS_MAX : names.length,
  };
}

/**
 * An action that is written by hand.
 * @param run gets the words and the options, as the usage shows both; without an exit code all went well
 */
export const written = <const Own extends Options>(
  words: string,
  summary: string,
  options: Own,
  run: (given: Given<Own>, context: CommandContext) => Promise<number | undefined>,
): Written => ({
  words,
  summary,
  options,
  run: async (args, context) =>
    (await run(readArguments(args, options, wordsIn(words)), context)) ?? EXIT.fine,
});

/** An action that is written by hand, and asks the API more than once or not at all. */
export const asking = <const Own extends Options>(
  words: string,
  summary: string,
  options: Own,
  run: (given: Given<Own> & Asking, context: CommandContext) => Promise<number | undefined>,
): Written =>
  written(words, summary, { ...options, ...URL_OPTION }, async ({ values, ...given }, context) =>
    withApi(context, Object(values).url, (client) =>
      // TypeScript does not see that the values of all options are those of the own options, too.
      run(
        { ...given, values: values as unknown as ValuesOf<Own>, client, ask: createAsk(client) },
        context,
      ),
    ),
  );

type Rows = Pick<Command, 'name' | 'summary' | 'needs'> & {
  /** Text of the usage below the options. */
  readonly notes: string;
  /** The part of the document that has the operations; it is loaded where the command is used. */
  readonly document?: () => Promise<Pick<DocumentPart, 'paths'>>;
  /**
   * Actions by the word that chooses an action; a command that takes no such word has the single action ''. An operation whose `x-command`
   * is the command with a word needs no row.
   */
  readonly actions?: Readonly<Record<string, Row | Written>>;
};

export function commandOf({
  name,
  summary,
  needs = [],
  notes,
  document,
  actions: rows = {},
}: Rows): Command {
  const read = async () => {
    const operations = readOperations((await document?.())?.paths ?? {});
    const named = [...operations].flatMap(([operation, { command }]) => {
      const [first, word = ''] = command?.split(' ') ?? [];
      return first === name ? [[word, { operation }] as const] : [];
    });
    return { operations, actions: { ...Object.fromEntries(named), ...rows } };
  };
  let loaded: ReturnType<typeof read> | undefined;
  const load = () => (loaded ??= read());
  return {
    name,
    summary,
    needs,
    actions: async () => Object.keys((await load()).actions),
    usage: async (only) => {
      const { operations, actions } = await load();
      const shown = Object.entries(actions)
        .filter(([word]) => only === undefined || word === only)
        .map(([word, action]) => ({
          word,
          ...('run' in action ? action : describeRow(action, operationOf(action, operations))),
        }));
      const more = only === undefined ? '' : `\nrisk ${name} --help lists all actions.`;
      return usageText(name, shown, `${notes}${more}`);
    },
    run: async (args, context) => {
      const at = '' in rows ? -1 : actionAt(args);
      const word = '' in rows ? '' : args[at];
      if (word === undefined) throw new UsageError('ACTION is missing');
      const rest = args.filter((_, index) => index !== at);
      const own = Object.hasOwn(rows, word) ? rows[word] : undefined;
      // An action that is written by hand does not wait for the document to load.
      if (own !== undefined && 'run' in own) return await own.run(rest, context);
      const { operations, actions } = await load();
      const action = actionOf(actions, word);
      if ('run' in action) return await action.run(rest, context);
      return await runRow(action, operationOf(action, operations), rest, context);
    },
  };
}

function operationOf(
  { operation }: Row,
  operations: ReadonlyMap<string, CalledOperation>,
): CalledOperation {
  const found = operations.get(operation);
  if (found === undefined) throw new Error(`the document has no operation ${operation}`);
  return found;
}
