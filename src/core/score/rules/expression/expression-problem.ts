/** A mistake in an expression, and where it stands: a value, so that an editor can point at the text. */
import { shortText } from '../../../../kit/words/describe-issue.ts';

export type ExpressionProblem = {
  /** From 1, as editors count lines and columns. */
  readonly line: number;
  readonly column: number;
  readonly found: string;
  readonly allowed: string;
};

type Range = { readonly start: number; readonly end: number };

/** A longer part of the text hides what is said of it. */
const FOUND_CHARS_MAX = 48;

/** @param found what stands there, where the text itself does not say it */
export function problemAt(
  text: string,
  { start, end }: Range,
  allowed: string,
  found = snippet(text, start, end),
): ExpressionProblem {
  const before = text.slice(0, start);
  const line = before.split('\n').length;
  return { line, column: start - before.lastIndexOf('\n'), found, allowed };
}

function snippet(text: string, start: number, end: number): string {
  const shown = text.slice(start, Math.max(end, start + 1)).trim();
  return shown === '' ? 'the end' : `\`${shortText(shown, FOUND_CHARS_MAX)}\``;
}
