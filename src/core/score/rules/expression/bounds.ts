/**
 * Bounds of an expression, looked at before the parser sees the text: the parser of CEL recurses on brackets and signs, so
 * 100,000 of them would exhaust the stack of a worker.
 */
import { type ExpressionProblem, problemAt } from './expression-problem.ts';

/** Room for a list of 250 countries twice over; a longer text takes more than a millisecond to parse. */
export const EXPRESSION_CHARS_MAX = 4000;
/** People nest 3 or 4 deep; each level takes a dozen frames of the parser's stack. */
export const EXPRESSION_DEPTH_MAX = 24;
/** Names, literals and operators together; a chain of as many operators is as deep for those who walk the tree. */
export const EXPRESSION_NODES_MAX = 500;

/** Texts and comments, whose brackets do not nest. Triple quotes stand first, as a pair of quotes begins them too. */
const OPAQUE =
  /"""(?:[^\\]|\\.)*?"""|'''(?:[^\\]|\\.)*?'''|"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*'|\/\/[^\n]*/gs;

export function exceedsBounds(text: string): ExpressionProblem | undefined {
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
