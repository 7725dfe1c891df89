/**
 * A function for each rule set, made of its checked rules: 200 rules as closures cost 15 times as much a row. The code consists
 * of numbers and of what `emit-expression.ts` emits, and takes a process whose policy allows `new Function`.
 */

import type { Catalogue } from './expression/catalogue.ts';
import { checkExpression } from './expression/check-expression.ts';
import { type Emitter, emitCondition, emitValue, HELPERS } from './expression/emit-expression.ts';
import type { Expression } from './expression/expression.ts';
import { type ExpressionProblem, problemAt } from './expression/parse-expression.ts';
import { bandWeight } from './measures.ts';
import type { Band } from './rule-set-data.ts';

/** Inputs of a row beside its vector, in the order of the rule set's `inputs`; null is missing. */
export type Inputs = readonly (number | string | boolean | null)[];

export const CORRIDOR_KEY = 'corridor';

/** A rule that threw, by its index in the program. */
type FailedRule = { readonly index: number; readonly error: unknown };

type Row<Result> = (vector: Float64Array, inputs: Inputs, probability: number) => Result;

export type Program = {
  /**
   * Returns how many rules fired: their indices and weights are the first of `fired` and `weights`, until the next call. A
   * forced verdict has the weight 0, and a rule that throws does not fire.
   */
  readonly decide: Row<number>;
  /** The rules that threw in the last call of `decide`. */
  readonly failures: () => readonly FailedRule[];
  readonly fired: Uint16Array;
  readonly weights: Float64Array;
  /** Values that rules with bands measure: NaN where a condition does not hold or throws, and for rules without bands. */
  readonly measure: Row<number[]>;
  /** The sentence of each rule's reason, for a row on which it fired. */
  readonly details: readonly Row<string>[];
  readonly code: string;
};

export type CheckedRule = {
  readonly when: Expression | null;
  readonly effect:
    | { readonly weight: number }
    | { readonly measure: Expression | Row<number>; readonly bands: readonly Band[] };
  readonly corridors: readonly string[] | null;
  readonly detail: readonly DetailPart[];
};

export type DetailPart =
  | string
  | { readonly value: Expression | 'measure'; readonly decimals: number | null };

/** Name of the value that a rule with bands has measured. */
const MEASURE = 'measure';
const PART = /\{([^{}]*?)(?::(\d))?\}/g;

export function generateProgram(rules: readonly CheckedRule[], inputs: readonly string[]): Program {
  const fired = new Uint16Array(rules.length);
  const weights = new Float64Array(rules.length);
  const bands = rules.map(({ effect }) => ('bands' in effect ? effect.bands : undefined));
  const codes = rules.map(({ effect }) =>
    'bands' in effect && typeof effect.measure === 'function' ? effect.measure : undefined,
  );
  const sets: string[] = [];
  const emitter: Emitter = {
    indexOf: (key) => {
      const index = inputs.indexOf(key);
      if (index < 0) throw new Error(`${key} is no input of the rule set`);
      return index;
    },
    setOf: (values) => `s${sets.push(JSON.stringify(values)) - 1}`,
  };
  const emitted = rules.map((rule, index) => emitRule(rule, index, emitter));
  const code = [
    '"use strict";',
    `const { ${Object.keys(HELPERS).join(', ')} } = helpers;`,
    ...constantsOf('b', 'bands', bands),
    ...constantsOf('c', 'codes', codes),
    ...sets.map((values, index) => `const s${index} = new Set(${values});`),
    'const NONE = [];',
    'let failed = NONE;',
    'return {',
    'decide(v, x, p) {',
    'let n = 0, m = 0;',
    'failed = NONE;',
    // Guards cost nothing while no rule throws: 0.41 µs for 256 rules with and without them.
    ...emitted.map(({ decide }, index) =>
      guarded(decide, `failed = [...failed, { index: ${index}, error }];`),
    ),
    'return n;',
    '},',
    'failures: () => failed,',
    'measure(v, x, p) {',
    'const values = [];',
    ...emitted.map(({ measure }) => guarded(`values.push(${measure});`, 'values.push(NaN);')),
    'return values;',
    '},',
    `details: [${emitted.map(({ detail }) => `(v, x, p) => ${detail}`).join(', ')}],`,
    '};',
  ].join('\n');
  const names = ['helpers', 'bandWeight', 'bands', 'codes', 'fired', 'weights'];
  const make = new Function(...names, code) as (
    ...values: readonly unknown[]
  ) => Pick<Program, 'decide' | 'failures' | 'measure' | 'details'>;
  return { ...make(HELPERS, bandWeight, bands, codes, fired, weights), fired, weights, code };
}

const guarded = (code: string, onError: string) => `try { ${code} } catch (error) { ${onError} }`;

const constantsOf = (letter: string, name: string, values: readonly unknown[]) =>
  values.flatMap((value, index) =>
    value === undefined ? [] : `const ${letter}${index} = ${name}[${index}];`,
  );

type EmittedRule = Readonly<Record<'decide' | 'measure' | 'detail', string>>;

function emitRule(rule: CheckedRule, index: number, emitter: Emitter): EmittedRule {
  const { when, effect, corridors } = rule;
  const conditions = [
    ...(corridors === null
      ? []
      : [`${emitter.setOf(corridors)}.has(x[${emitter.indexOf(CORRIDOR_KEY)}])`]),
    ...(when === null ? [] : [emitCondition(when, emitter)]),
  ];
  if (!('bands' in effect)) {
    const decide = `if (${conditions.join(' && ')}) { fired[n] = ${index}; weights[n++] = ${effect.weight}; }`;
    return { decide, measure: 'NaN', detail: emitDetail(rule.detail, 'NaN', emitter) };
  }
  const { measure, bands } = effect;
  const value = typeof measure === 'function' ? `c${index}(v, x, p)` : emitValue(measure, emitter);
  // Nearly all values lie below the bands, or are NaN, so the bands are looked at first.
  const fires = [`(m = ${value}) >= ${bands[0]?.from}`, ...conditions].join(' && ');
  const holds = conditions.length === 0 ? 'true' : conditions.join(' && ');
  return {
    decide: `if (${fires}) { m = bandWeight(b${index}, m); if (m !== 0) { fired[n] = ${index}; weights[n++] = m; } }`,
    measure: `(${holds} ? ${value} : NaN)`,
    detail: emitDetail(rule.detail, value, emitter),
  };
}

function emitDetail(parts: readonly DetailPart[], measure: string, emitter: Emitter): string {
  const texts = parts.map((part) => {
    if (typeof part === 'string') return JSON.stringify(part);
    const { value, decimals } = part;
    if (value === 'measure') return emitFormatted(measure, decimals);
    const emitted = emitValue(value, emitter);
    return value.type === 'text' ? `(${emitted} ?? "unknown")` : emitFormatted(emitted, decimals);
  });
  return ['""', ...texts].join(' + ');
}

function emitFormatted(value: string, decimals: number | null): string {
  return decimals === null ? `(${value})` : `(${value}).toFixed(${decimals})`;
}

/**
 * The sentence of a reason: text with expressions in braces, `Amount {amount:2} is {amount_to_limit:1} times the limit`.
 */
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
        ...checked.problems.map((problem) =>
          problem.line === 1 ? { ...problem, column: problem.column + shift } : problem,
        ),
      );
    }
  }
  addText(template.length);
  return problems.length > 0 ? { problems } : { parts };
}
