/**
 * Commands that are data: a row names an operation of the API, and one runner reads its options from the OpenAPI
 * document, calls the API and prints the answer. Only actions that need a file, a loop or a screen are written by hand.
 */
import type { DocumentPart } from '../http/document.ts';
import {
  actionAt,
  actionOf,
  type Command,
  type CommandContext,
  optionsOf,
  parseArguments,
  UsageError,
} from './command.ts';
import { type Operation, readOperations } from './operation.ts';
import { describeRow, type Row, runRow } from './run-row.ts';
import { type ShownAction, usageText } from './usage.ts';

type Written = Omit<ShownAction, 'word'> & { readonly run: Command['run'] };

type Given<Shown extends NonNullable<Written['options']>> = {
  readonly values: ReturnType<typeof parseArguments<ReturnType<typeof optionsOf<Shown>>>>['values'];
  readonly words: readonly string[];
};

/**
 * An action that is written by hand.
 * @param words with brackets around those that may be absent, and `…` behind one that may be repeated
 * @param run gets the words and the options, as the usage shows both
 */
export const written = <const Shown extends NonNullable<Written['options']>>(
  words: string,
  summary: string,
  options: Shown,
  run: (given: Given<Shown>, context: CommandContext) => Promise<number>,
): Written & { readonly options: Shown } => ({
  words,
  summary,
  options,
  run: async (args, context) => {
    const names = words.split(' ').filter((name) => name !== '');
    const { values, positionals } = parseArguments(args, optionsOf(options), {
      required: names.filter((name) => !name.startsWith('[')).map((name) => name.replace('…', '')),
      max: words.includes('…') ? Infinity : names.length,
    });
    return await run({ values, words: positionals }, context);
  },
});

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
    return { operations, actions: { ...rows, ...Object.fromEntries(named) } };
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
          ...('run' in action
            ? action
            : { asksApi: true, ...describeRow(action, operationOf(action, operations)) }),
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

function operationOf({ operation }: Row, operations: ReadonlyMap<string, Operation>): Operation {
  const found = operations.get(operation);
  if (found === undefined) throw new Error(`the document has no operation ${operation}`);
  return found;
}
