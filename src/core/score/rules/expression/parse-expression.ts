/** From text to the tree of CEL's parser, within bounds. Nothing of the library but the parser is used, and no value reaches it. */
import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js';
import { shortText } from '../../../../kit/words/describe-issue.ts';

/** People nest 3 or 4 deep; each level takes a dozen frames of the parser's stack. */
const EXPRESSION_DEPTH_MAX = 24;
/** Names, literals and operators together; a chain of as many operators is as deep for those who walk the tree. */
const EXPRESSION_NODES_MAX = 500;

const cel = new Environment({
  // The library's depth counts members beside brackets, so that its bound is never the first one.
  limits: { maxAstNodes: EXPRESSION_NODES_MAX, maxDepth: 2 * EXPRESSION_DEPTH_MAX },
});

/** Room for a list of 250 countries twice over; a longer text takes more than a millisecond to parse. */
const EXPRESSION_CHARS_MAX = 4000;

/** Texts and comments, whose brackets do not nest. Triple quotes stand first, as a pair of quotes begins them too. */
const OPAQUE =
  /"""(?:[^\\]|\\.)*?"""|'''(?:[^\\]|\\.)*?'''|"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*'|\/\/[^\n]*/gs;

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

export function parseExpression(
  text: string,
): { readonly tree: ASTNode } | { readonly problem: ExpressionProblem } {
  const problem = exceedsBounds(text);
  if (problem !== undefined) return { problem };
  try {
    return { tree: cel.parse(text).ast };
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    const range = error.range ?? { start: 0, end: 0 };
    return { problem: problemAt(text, range, allowedBy(error)) };
  }
}

const TOKENS: ReadonlyMap<string, string> = new Map([
  ['RPAREN', '`)`'],
  ['RBRACKET', '`]`'],
  ['RBRACE', '`}`'],
  ['COLON', '`:`'],
  ['IDENTIFIER', 'a name'],
]);

function allowedBy({ code, summary }: ParseError): string {
  const token = /^Expected (\w+)/.exec(summary)?.[1];
  if (token !== undefined) return TOKENS.get(token) ?? token;
  switch (code) {
    case 'limit_exceeded':
      return `at most ${EXPRESSION_NODES_MAX} names, values and operators`;
    case 'unexpected_token':
      return 'a name, a number, a text in quotes or `(`';
    case 'unexpected_character':
      return 'an operator, a name, a number or a text in quotes';
    case 'unterminated_string':
    case 'newline_in_string':
      return 'a text that its quote ends on the same line';
    case 'invalid_number':
      return 'a number that a double can hold';
    case 'reserved_identifier':
      return 'a name that CEL does not reserve';
    default:
      return `what CEL allows: ${summary}`;
  }
}

/**
 * Bounds of an expression, looked at before the parser sees the text: the parser of CEL recurses on brackets and signs, so
 * 100,000 of them would exhaust the stack of a worker.
 */
function exceedsBounds(text: string): ExpressionProblem | undefined {
  const { length } = text;
  if (length > EXPRESSION_CHARS_MAX) {
    const allowed = `at most ${EXPRESSION_CHARS_MAX} characters`;
    return problemAt(text, { start: 0, end: 0 }, allowed, `${length} characters`);
  }
  const start = firstTooDeep(text);
  if (start === undefined) return undefined;
  const allowed = `brackets and signs at most ${EXPRESSION_DEPTH_MAX} deep`;
  return problemAt(text, { start, end: start + 1 }, allowed);
}

function firstTooDeep(text: string): number | undefined {
  const code = text.replaceAll(OPAQUE, (found) => '"'.repeat(found.length));
  let brackets = 0;
  let signs = 0;
  for (let index = 0; index < code.length; index++) {
    const char = code.charAt(index);
    if ('!-'.includes(char)) signs++;
    else if (!' \t\r\n'.includes(char)) signs = 0;
    // A `?` of CEL's condition nests all that follows.
    if ('([{?'.includes(char)) brackets++;
    if (')]}'.includes(char)) brackets = Math.max(0, brackets - 1);
    if (brackets + signs > EXPRESSION_DEPTH_MAX) return index;
  }
  return undefined;
}

/**
 * A mistake in an expression, and where it stands: a value, so that an editor can point at the text.
 * @param found what stands there, where the text itself does not say it
 */
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
