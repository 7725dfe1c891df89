/**
 * Random expressions as trees of their own, with their text in CEL and a value found by walking the tree: the oracle of the
 * three-valued logic. It shares no line with the parser, the typed walk and the emitted code. `undefined` is missing.
 */
import fc from 'fast-check';
import { type CatalogueName, fieldName } from '../../src/core/score/rules/expression/catalogue.ts';

export type Made =
  | { readonly op: 'number'; readonly value: number }
  | { readonly op: 'text'; readonly value: string }
  | { readonly op: 'boolean'; readonly value: boolean }
  | { readonly op: 'name'; readonly name: string }
  | { readonly op: 'list'; readonly name: string }
  | { readonly op: 'money'; readonly value: number; readonly currency: string }
  | { readonly op: 'missing'; readonly of: Made }
  | { readonly op: '!' | 'negative'; readonly of: Made }
  | { readonly op: 'in'; readonly of: Made; readonly values: readonly (number | string)[] }
  | { readonly op: Binary; readonly left: Made; readonly right: Made };
type Binary = '+' | '-' | '*' | '/' | '<' | '<=' | '>' | '>=' | '==' | '!=' | '&&' | '||';

export type Value = number | string | boolean | undefined;
export type Environment = Readonly<Record<string, Value>>;

export const NUMBERS = ['siblings', 'count_1h', 'probability', 'metadata.points'] as const;
export const AMOUNTS = ['amount', 'median'] as const;
export const TEXTS = ['currency', 'metadata.tier'] as const;
export const BOOLEANS = ['metadata.vip'] as const;
export const LISTS = ['stolen', 'known_good'] as const;
export const CURRENCIES = ['USD', 'EUR'] as const;

/** Metadata fields of the catalogue that the names are of, as a rule set names them. */
export const FIELDS = { points: 'number', tier: 'text', vip: 'boolean' } as const;
export const FIELD_NAMES: readonly CatalogueName[] = Object.entries(FIELDS).map(([name, type]) =>
  fieldName(name, type, ''),
);

/** The ends of the doubles, and what no stored feature is. */
const EXTREMES = [
  1e308,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  Number.MIN_VALUE,
  -0,
  2 ** 53 + 2,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];
const numbers = fc.constantFrom(0, 1, 2, 0.5, 3, 100, 1e308, 1e-300, 7);
const texts = fc.constantFrom(
  'US',
  'EG',
  '',
  '__proto__',
  'constructor',
  'a"b\\',
  "it's",
  '\u2028',
);
const named = (names: readonly string[]) =>
  fc.constantFrom(...names).map((name): Made => ({ op: 'name', name }));

/** Conditions, numbers and amounts of at most so many levels. */
export const expressions = fc.letrec<Record<'condition' | 'number' | 'amount', Made>>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small', maxDepth: 6 },
    fc.boolean().map((value): Made => ({ op: 'boolean', value })),
    named(BOOLEANS),
    fc.constantFrom(...LISTS).map((name): Made => ({ op: 'list', name })),
    fc
      .oneof(
        named([...NUMBERS, ...AMOUNTS, ...TEXTS, ...BOOLEANS]),
        fc.constantFrom(...LISTS).map((name): Made => ({ op: 'list', name })),
      )
      .map((of): Made => ({ op: 'missing', of })),
    fc
      .tuple(named(TEXTS), fc.array(texts, { minLength: 1, maxLength: 3 }))
      .map(([of, values]): Made => ({ op: 'in', of, values })),
    fc
      .tuple(named(NUMBERS), fc.array(numbers, { minLength: 1, maxLength: 3 }))
      .map(([of, values]): Made => ({ op: 'in', of, values })),
    binary(
      ['==', '!='],
      fc.oneof(
        named(TEXTS),
        texts.map((value): Made => ({ op: 'text', value })),
      ),
    ),
    binary(['<', '<=', '>', '>=', '==', '!='], tie('number')),
    binary(['<', '<=', '>', '>=', '==', '!='], tie('amount')),
    binary(['&&', '||'], tie('condition')),
    binary(['&&', '||'], tie('condition')),
    tie('condition').map((of): Made => ({ op: '!', of })),
  ),
  number: fc.oneof(
    { depthSize: 'small', maxDepth: 5 },
    numbers.map((value): Made => ({ op: 'number', value })),
    named(NUMBERS),
    binary(['+', '-', '*', '/'], tie('number')),
    binary(['/'], tie('amount')),
    tie('number').map((of): Made => ({ op: 'negative', of })),
  ),
  amount: fc.oneof(
    { depthSize: 'small', maxDepth: 4 },
    named(AMOUNTS),
    fc
      .tuple(numbers, fc.constantFrom(...CURRENCIES))
      .map(([value, currency]): Made => ({ op: 'money', value, currency })),
    binary(['+', '-'], tie('amount')),
    fc.tuple(tie('number'), tie('amount')).map(([left, right]): Made => ({ op: '*', left, right })),
    fc.tuple(tie('amount'), tie('number')).map(([left, right]): Made => ({ op: '/', left, right })),
  ),
}));

function binary(ops: readonly Binary[], part: fc.Arbitrary<Made>): fc.Arbitrary<Made> {
  return fc
    .tuple(fc.constantFrom(...ops), part, part)
    .map(([op, left, right]): Made => ({ op, left, right }));
}

export const environments: fc.Arbitrary<Environment> = fc.record({
  ...Object.fromEntries(
    [...NUMBERS, ...AMOUNTS].map((name) => [
      name,
      fc.constantFrom(undefined, undefined, 0, 1, 2, 0.5, -1, 100, ...EXTREMES),
    ]),
  ),
  ...Object.fromEntries(
    TEXTS.map((name) => [name, fc.constantFrom(undefined, 'US', 'EG', '', '__proto__', 'a"b\\')]),
  ),
  ...Object.fromEntries(
    [...BOOLEANS, ...LISTS.map((list) => `in_list.${list}`)].map((name) => [
      name,
      fc.constantFrom(undefined, true, false),
    ]),
  ),
  ...Object.fromEntries(
    CURRENCIES.map((code) => [`rate.${code}`, fc.constantFrom(undefined, 1, 0.5, 48.7)]),
  ),
});

/** @param dot written behind whole numbers, which CEL's own checker tells from doubles */
export function toText(made: Made, dot = ''): string {
  switch (made.op) {
    case 'number':
      return numberText(made.value, dot);
    case 'text':
      return textOf(made.value);
    case 'boolean':
      return String(made.value);
    case 'name':
      return made.name;
    case 'list':
      return `in_list("${made.name}")`;
    case 'money':
      return `money(${numberText(made.value, dot)}, "${made.currency}")`;
    case 'missing':
      return `is_missing(${toText(made.of, dot)})`;
    case '!':
      return `!${toText(made.of, dot)}`;
    case 'negative':
      return `-${toText(made.of, dot)}`;
    case 'in': {
      const values = made.values.map((value) =>
        typeof value === 'string' ? textOf(value) : numberText(value, dot),
      );
      return `(${toText(made.of, dot)} in [${values.join(', ')}])`;
    }
    default:
      return `(${toText(made.left, dot)} ${made.op}\n${toText(made.right, dot)})`;
  }
}

/** 1e+308 is a double, whatever stands behind the number. */
const numberText = (value: number, dot: string) =>
  Number.isSafeInteger(value) ? `${value}${dot}` : String(value);

const textOf = (value: string) =>
  `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\u2028', '\\u2028')}"`;

export function evaluate(made: Made, environment: Environment): Value {
  switch (made.op) {
    case 'number':
    case 'text':
    case 'boolean':
      return made.value;
    case 'name':
      return environment[made.name];
    case 'list':
      return environment[`in_list.${made.name}`];
    case 'money':
      return arithmetic('*', made.value, environment[`rate.${made.currency}`]);
    case 'missing':
      return evaluate(made.of, environment) === undefined;
    case '!': {
      const value = evaluate(made.of, environment);
      return value === undefined ? undefined : !value;
    }
    case 'negative':
      return arithmetic('-', 0, evaluate(made.of, environment));
    case 'in': {
      const value = evaluate(made.of, environment);
      return value === undefined ? undefined : made.values.some((one) => one === value);
    }
    case '&&':
    case '||':
      return connect(made.op === '||', [
        evaluate(made.left, environment),
        evaluate(made.right, environment),
      ]);
    case '+':
    case '-':
    case '*':
    case '/':
      return arithmetic(
        made.op,
        evaluate(made.left, environment),
        evaluate(made.right, environment),
      );
    default:
      return compare(made.op, evaluate(made.left, environment), evaluate(made.right, environment));
  }
}

/** A value settles the connection, whatever the other one is; otherwise a missing value leaves the result missing. */
function connect(settles: boolean, values: readonly Value[]): Value {
  if (values.includes(settles)) return settles;
  return values.includes(undefined) ? undefined : !settles;
}

function arithmetic(op: '+' | '-' | '*' | '/', left: Value, right: Value): Value {
  if (typeof left !== 'number' || typeof right !== 'number') return undefined;
  if (op === '/' && right === 0) return undefined;
  const results = { '+': left + right, '-': left - right, '*': left * right, '/': left / right };
  const result = results[op];
  return Number.isNaN(result) ? undefined : result;
}

function compare(op: '<' | '<=' | '>' | '>=' | '==' | '!=', left: Value, right: Value): Value {
  if (left === undefined || right === undefined) return undefined;
  if (op === '==') return left === right;
  if (op === '!=') return left !== right;
  if (op === '<') return left < right;
  if (op === '<=') return left <= right;
  return op === '>' ? left > right : left >= right;
}

/** True where a part without names has no value that a double can hold, or a literal 0 divides: refused when it is compiled. */
export function isRefused(made: Made): boolean {
  switch (made.op) {
    case '+':
    case '-':
    case '*':
    case '/':
      return (
        isRefused(made.left) ||
        isRefused(made.right) ||
        (made.op === '/' && constantOf(made.right) === 0) ||
        (isConstant(made) && !Number.isFinite(constantOf(made)))
      );
    case 'number':
    case 'text':
    case 'boolean':
    case 'name':
    case 'list':
    case 'money':
    case 'missing':
    case 'in':
      return false;
    case '!':
    case 'negative':
      return isRefused(made.of);
    default:
      return isRefused(made.left) || isRefused(made.right);
  }
}

function isConstant(made: Made): boolean {
  if (made.op === 'number') return true;
  if (made.op === 'negative') return isConstant(made.of);
  return 'left' in made && isConstant(made.left) && isConstant(made.right);
}

const constantOf = (made: Made) => (isConstant(made) ? Number(evaluate(made, {})) : Number.NaN);
