/**
 * From the typed tree to JavaScript. What is missing is NaN in the vector and null beside it, and conditions have three
 * values: true, false and missing. A condition has two texts, one for "is true" and one for "is false"; a missing value makes
 * both false, so no third value is ever made, and "not" changes the two over. No text of a rule's author reaches the code but
 * through JSON.stringify; names became indices.
 */
import type { Comparison, Expression, Read } from './expression.ts';

/** Functions that the emitted code calls. `v` is the vector, `x` the inputs beside it, `p` the model's probability. */
export const HELPERS = {
  /** A number of the inputs: another kind of value is missing. */
  number: (value: unknown): number => (typeof value === 'number' ? value : Number.NaN),
  text: (value: unknown): string | null => (typeof value === 'string' ? value : null),
  /** Unequal, and neither is missing. */
  unequal: (left: number, right: number): boolean => left < right || left > right,
  sameText: (left: string | null, right: string | null): boolean => left !== null && left === right,
  otherText: (left: string | null, right: string | null): boolean =>
    left !== null && right !== null && left !== right,
} as const;

export type Emitter = {
  /** Index of an input of a row, by its key. */
  readonly indexOf: (key: string) => number;
  /** Name of a constant set of values. */
  readonly setOf: (values: readonly (string | number)[]) => string;
};

/** Code that is true where the condition has the wanted value, and not where it has the other value or is missing. */
export function emitCondition(condition: Expression, emitter: Emitter, wanted = true): string {
  switch (condition.kind) {
    case 'literal':
      return String(condition.value === wanted);
    case 'read':
      return `(${inputOf(condition, emitter)} === ${wanted})`;
    case 'comparison':
      return emitComparison(wanted ? condition.op : OPPOSITES[condition.op], condition, emitter);
    case 'member': {
      const { read, values } = condition;
      const isIn = `${emitter.setOf(values)}.has(${emitValue(read, emitter)})`;
      return wanted ? isIn : `(!${emitMissing(read, emitter)} && !${isIn})`;
    }
    case 'both':
    case 'either': {
      const [left, right] = [condition.left, condition.right].map((part) =>
        emitCondition(part, emitter, wanted),
      );
      return `(${left} ${(condition.kind === 'both') === wanted ? '&&' : '||'} ${right})`;
    }
    case 'not':
      return emitCondition(condition.operand, emitter, !wanted);
    case 'missing':
      return `${wanted ? '' : '!'}${emitMissing(condition.read, emitter)}`;
    case 'arithmetic':
    case 'negative':
      throw new Error(`${condition.kind} is no condition`);
  }
}

const OPPOSITES: Readonly<Record<Comparison, Comparison>> = {
  '<': '>=',
  '<=': '>',
  '>': '<=',
  '>=': '<',
  '==': '!=',
  '!=': '==',
};

/** A comparison with NaN is false, in JavaScript too, but for `!=`. */
function emitComparison(
  op: Comparison,
  { left, right }: Extract<Expression, { kind: 'comparison' }>,
  emitter: Emitter,
): string {
  const [first, second] = [emitValue(left, emitter), emitValue(right, emitter)];
  const isText = left.type === 'text';
  if (op === '==') return isText ? `sameText(${first}, ${second})` : `(${first} === ${second})`;
  if (op === '!=') return `${isText ? 'otherText' : 'unequal'}(${first}, ${second})`;
  return `(${first} ${op} ${second})`;
}

function emitMissing(read: Read, emitter: Emitter): string {
  if (read.type === 'boolean') return `(typeof ${inputOf(read, emitter)} !== "boolean")`;
  const value = emitValue(read, emitter);
  return read.type === 'text' ? `(${value} === null)` : `Number.isNaN(${value})`;
}

/** Code of a number, an amount (NaN where missing) or a text (null where missing). */
export function emitValue(expression: Expression, emitter: Emitter): string {
  switch (expression.kind) {
    case 'literal': {
      const literal = JSON.stringify(expression.value);
      return literal.startsWith('-') ? `(${literal})` : literal;
    }
    case 'read':
      return emitRead(expression, emitter);
    case 'arithmetic': {
      const { op, left, right } = expression;
      const [first, second] = [emitValue(left, emitter), emitValue(right, emitter)];
      // A division by 0 has no result, so the result is missing.
      if (op === '/' && right.kind !== 'literal') return `(${first} / (${second} || NaN))`;
      return `(${first} ${op} ${second})`;
    }
    case 'negative':
      return `(-${emitValue(expression.operand, emitter)})`;
    case 'comparison':
    case 'member':
    case 'both':
    case 'either':
    case 'not':
    case 'missing':
      throw new Error(`${expression.kind} is no value`);
  }
}

function emitRead(read: Read, emitter: Emitter): string {
  const { source } = read;
  switch (source.at) {
    case 'feature':
      return `v[${source.index}]`;
    case 'probability':
      return 'p';
    case 'input':
      return `${read.type === 'text' ? 'text' : 'number'}(x[${emitter.indexOf(source.key)}])`;
  }
}

/** A condition that is read as it is stands beside the vector: no feature is true or false. */
function inputOf({ source, name }: Read, emitter: Emitter): string {
  if (source.at !== 'input') throw new Error(`${name} is no input`);
  return `x[${emitter.indexOf(source.key)}]`;
}
