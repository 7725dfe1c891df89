/** Commands whose first word names what the API is asked for: `risk review claim ID`. */
import type { AskApi } from '../client/ask.ts';
import { withApi } from './api-json.ts';
import { actionOf, type CommandContext, requireWords } from './command.ts';

export type ActionRequest<Options> = {
  /** As many as the action names. */
  readonly words: readonly string[];
  readonly options: Options;
  readonly context: CommandContext;
};

export type ApiAction<Options> = {
  /** Words after the action, by the names that its usage gives them. */
  readonly words: readonly string[];
  readonly run: (ask: AskApi, request: ActionRequest<Options>) => Promise<number>;
};

type Parsed<Options> = { readonly values: Options; readonly positionals: readonly string[] };

/** Throws a UsageError for an unknown action, and for a word that it lacks or does not take. */
export async function runApiAction<Options extends { readonly url?: string | undefined }>(
  actions: Readonly<Record<string, ApiAction<Options>>>,
  { values: options, positionals: [name = '', ...words] }: Parsed<Options>,
  context: CommandContext,
): Promise<number> {
  const action = actionOf(actions, name);
  requireWords(words, action.words);
  return await withApi(context, options.url, (ask) => action.run(ask, { words, options, context }));
}
