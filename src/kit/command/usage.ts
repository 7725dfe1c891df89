/** The usage of a command of several actions, or of one action, as `--help` prints it. */
import { type Options, saysOf, URL_OPTION } from './options.ts';

export type ShownAction = {
  /** '' where the command has a single action. */
  readonly word: string;
  /** Words after the action's name, as the usage shows them. */
  readonly words: string;
  readonly summary: string;
  readonly options?: Options;
};

const COLUMNS = 100;

const JSON_OPTION = ['--json', 'Print JSON'] as const;

/** @param actions those that the usage is about */
export function usageText(name: string, actions: readonly ShownAction[], notes: string): string {
  const [only, ...others] = actions;
  const isOne = others.length === 0;
  const heads = actions.map(({ word, words }) => `${word} ${words}`.trim());
  const isUrl = ([option]: readonly [string, string]) => option in URL_OPTION;
  const shown = optionsOf(actions);
  const own = shown.filter((option) => !isUrl(option));
  const options = [...own, ...shown.filter(isUrl), JSON_OPTION];
  const named = [...(isOne ? [] : heads), ...options.map(([option]) => option)];
  const width = 2 + Math.max(...named.map((text) => text.length));
  const line = (head: string, text: string) => wrap(`  ${head.padEnd(width)}`, text);
  return [
    ['risk', name, isOne ? heads[0] : 'ACTION', '[options]'].filter(Boolean).join(' '),
    '',
    ...(isOne
      ? wrap('', `${only?.summary}.`)
      : actions.flatMap(({ summary }, index) => line(heads[index] ?? '', summary))),
    '',
    ...options.flatMap(([option, text]) => line(option, text)),
    '',
    notes,
  ].join('\n');
}

/** A line for each option and meaning, with the actions that take the option unless all do. */
function optionsOf(
  actions: readonly Pick<ShownAction, 'word' | 'options'>[],
): (readonly [string, string])[] {
  const meanings = actions.flatMap(({ word, options = {} }) =>
    Object.entries(options).map(([option, of]) => ({ word, option, text: saysOf(of) })),
  );
  const groups = Map.groupBy(meanings, ({ option, text }) => `${option}\n${text}`);
  return [...groups.values()].map((group) => {
    const { option = '', text = '' } = group[0] ?? {};
    const words = group.map(({ word }) => word).join(', ');
    return [option, group.length === actions.length ? text : `${words}: ${text}`] as const;
  });
}

/** The text behind the head, in lines of at most COLUMNS where its words allow. */
function wrap(head: string, text: string): string[] {
  const lines = [head];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    const longer = last.length === head.length ? `${last}${word}` : `${last} ${word}`;
    if (longer.length <= COLUMNS || last.length === head.length) lines[lines.length - 1] = longer;
    else lines.push(' '.repeat(head.length) + word);
  }
  return lines;
}
