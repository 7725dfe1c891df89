/** From text to the tree of CEL's parser, within bounds. Nothing of the library but the parser is used, and no value reaches it. */
import { type ASTNode, Environment, ParseError } from '@marcbachmann/cel-js';
import { EXPRESSION_DEPTH_MAX, EXPRESSION_NODES_MAX, exceedsBounds } from './bounds.ts';
import { type ExpressionProblem, problemAt } from './expression-problem.ts';

const cel = new Environment({
  // The library's depth counts members beside brackets, so that its bound is never the first one.
  limits: { maxAstNodes: EXPRESSION_NODES_MAX, maxDepth: 2 * EXPRESSION_DEPTH_MAX },
});

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
