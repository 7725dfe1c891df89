/** The sentence of a reason: text with expressions in braces, `Amount {amount:2} is {amount_to_limit:1} times the limit`. */
import type { Catalogue } from './expression/catalogue.ts';
import { checkExpression } from './expression/check-expression.ts';
import type { Expression } from './expression/expression.ts';
import { type ExpressionProblem, problemAt } from './expression/expression-problem.ts';

export type DetailPart =
  | string
  | { readonly value: Expression | 'measure'; readonly decimals: number | null };

/** Name of the value that a rule with bands has measured. */
const MEASURE = 'measure';
const PART = /\{([^{}]*?)(?::(\d))?\}/g;

export function checkDetail(
  template: string,
  catalogue: Catalogue,
  hasMeasure: boolean,
): { readonly parts: readonly DetailPart[] } | { readonly problems: readonly ExpressionProblem[] } {
  const parts: DetailPart[] = [];
  const problems: ExpressionProblem[] = [];
  let end = 0;
  const addText = (until: number) => {
    const text = template.slice(end, until);
    const brace = text.search(/[{}]/);
    if (brace >= 0) {
      const start = end + brace;
      problems.push(problemAt(template, { start, end: start + 1 }, 'braces around an expression'));
    }
    if (text !== '') parts.push(text);
  };
  for (const { 0: whole, 1: text = '', 2: decimals, index } of template.matchAll(PART)) {
    addText(index);
    end = index + whole.length;
    const format = { decimals: decimals === undefined ? null : Number(decimals) };
    if (text === MEASURE && hasMeasure) {
      parts.push({ value: MEASURE, ...format });
      continue;
    }
    const checked = checkExpression(text, catalogue, ['number', 'amount', 'text']);
    if ('expression' in checked) parts.push({ value: checked.expression, ...format });
    else {
      const shift = index + 1;
      problems.push(
        ...checked.problems.map((one) =>
          one.line === 1 ? { ...one, column: one.column + shift } : one,
        ),
      );
    }
  }
  addText(template.length);
  return problems.length > 0 ? { problems } : { parts };
}
