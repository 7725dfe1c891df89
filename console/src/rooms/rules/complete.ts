/** Completion of expressions: the word before the caret, and the names of the catalogue that fit. Pure. */
import type { CatalogueName } from '../../../../src/kit/client/api-types.ts';
import { number, percent } from '../../format.ts';

export type Completion = {
  readonly name: string;
  /** The text in place of the word. */
  readonly text: string;
  readonly note: string;
};

/** A name may have a point inside, as `metadata.tier`. */
const WORD = /[A-Za-z_][\w.]*$/;
/** More: the list covers the page. */
const SHOWN_MAX = 6;

/** The word that ends at the caret; empty where none does. */
export const wordBefore = (text: string, caret: number): string =>
  WORD.exec(text.slice(0, caret))?.[0] ?? '';

const FUNCTIONS: readonly Completion[] = [
  { name: 'is_missing', text: 'is_missing(', note: 'condition: a name has no value' },
];

/** Names that begin with the word, then those that have it inside; all of them for an empty word. */
export function complete(names: readonly CatalogueName[], word: string): Completion[] {
  const all = [...names.map(toCompletion), ...FUNCTIONS];
  const wanted = word.toLowerCase();
  const begin = all.filter(({ name }) => name.startsWith(wanted));
  const within = all.filter(({ name }) => !name.startsWith(wanted) && name.includes(wanted));
  const found = [...begin, ...within];
  // A word that is complete needs no list.
  if (found.length === 1 && found[0]?.name === word) return [];
  return found.slice(0, SHOWN_MAX);
}

function toCompletion({ name, type, unit, description, values }: CatalogueName): Completion {
  const range =
    values === null
      ? ''
      : ` Yesterday: median ${number(values.median)}, 99 % up to ${number(values.p99)}, missing ${percent(values.missing)}.`;
  const measured = type === 'text' || type === unit ? type : `${type}, ${unit}`;
  return { name, text: name, note: `${measured}. ${description}${range}` };
}

/** The text with the completion in place of the word at the caret, and the caret behind it. */
export function accept(text: string, caret: number, { text: inserted }: Completion) {
  const from = caret - wordBefore(text, caret).length;
  return {
    text: text.slice(0, from) + inserted + text.slice(caret),
    caret: from + inserted.length,
  };
}

/** The offset of a line and column, both from 1. */
export function offsetOf(text: string, line: number, column: number): number {
  const lines = text.split('\n').slice(0, line - 1);
  return lines.reduce((sum, { length }) => sum + length + 1, 0) + column - 1;
}
