/**
 * The walk that lets an expression pass: it knows a short list of operators and functions, refuses everything else of CEL
 * (macros, `matches`, `dyn`, conditions, maps, indices), finds each name in the catalogue and gives each part its type. CEL's
 * own checker stops at the first error and knows neither amounts nor what is missing, so only the parser is CEL's; tests
 * compare the types with those of that checker.
 */
import type { ASTNode } from '@marcbachmann/cel-js';
import { exactNumber } from '../../../../kit/words/exact-number.ts';
import { nearestName } from '../../../../kit/words/nearest-name.ts';
import { currencyScale } from '../../../domain/currency.ts';
import { type Catalogue, isFieldKey, listKey, rateKey } from './catalogue.ts';
import {
  ARITHMETIC,
  type ArithmeticOperator,
  COMPARISONS,
  type Comparison,
  type Expression,
  type Literal,
  type Read,
  type ValueType,
} from './expression.ts';
import { type ExpressionProblem, parseExpression, problemAt } from './parse-expression.ts';

type CheckedExpression =
  | { readonly expression: Expression }
  | { readonly problems: readonly ExpressionProblem[] };

export function checkExpression(
  text: string,
  catalogue: Catalogue,
  wanted: readonly ValueType[],
): CheckedExpression {
  const parsed = parseExpression(text);
  if ('problem' in parsed) return { problems: [parsed.problem] };
  const walk: Walk = { text, catalogue, problems: [] };
  const expression = typed(parsed.tree, wanted, walk);
  if (expression === undefined || walk.problems.length > 0) return { problems: walk.problems };
  return { expression };
}

type Walk = {
  readonly text: string;
  readonly catalogue: Catalogue;
  readonly problems: ExpressionProblem[];
};

/** Parts of the tree, by operator. What has no entry here is refused. */
type Walker = (node: ASTNode, walk: Walk) => Expression | undefined;
const WALKERS: ReadonlyMap<string, Walker> = new Map<string, Walker>([
  ['value', literalOf],
  ['id', readOf],
  ['.', readOf],
  ['call', callOf],
  ['&&', (node, walk) => connection('both', node, walk)],
  ['||', (node, walk) => connection('either', node, walk)],
  ['!_', negationOf],
  ['-_', negativeOf],
  ['in', memberOf],
  ...ARITHMETIC.map((op): [string, Walker] => [op, (node, walk) => arithmeticOf(op, node, walk)]),
  ...COMPARISONS.map((op): [string, Walker] => [op, (node, walk) => comparisonOf(op, node, walk)]),
]);

const OPERATORS = `a name, a number, a text, ${[...ARITHMETIC, ...COMPARISONS].join(' ')} && || ! in, or a function`;

/** @returns undefined after a problem was noted, so that a mistake is told once */
function expressionOf(node: ASTNode, walk: Walk): Expression | undefined {
  const walker = WALKERS.get(node.op);
  return walker === undefined ? refuse(node, OPERATORS, walk) : walker(node, walk);
}

function refuse(node: ASTNode, allowed: string, walk: Walk, found?: string): undefined {
  walk.problems.push(problemAt(walk.text, node, allowed, found));
}

const NAMED: Readonly<Record<ValueType, string>> = {
  number: 'a number',
  amount: 'an amount, as `money(1000, "USD")`',
  text: 'a text',
  boolean: 'a condition',
};

function typed(node: ASTNode, types: readonly ValueType[], walk: Walk): Expression | undefined {
  const expression = expressionOf(node, walk);
  if (expression === undefined || types.includes(expression.type)) return expression;
  return refuse(node, types.map((type) => NAMED[type]).join(' or '), walk);
}

function literalOf(node: ASTNode, walk: Walk): Expression | undefined {
  const value: unknown = node.args;
  // Words of payments and declared metadata come in NFC.
  if (typeof value === 'string')
    return { kind: 'literal', type: 'text', value: value.normalize('NFC') };
  if (typeof value === 'boolean') return { kind: 'literal', type: 'boolean', value };
  if (typeof value === 'number') {
    const isKept = exactNumber(walk.text.slice(node.start, node.end)) !== undefined;
    return isKept
      ? numberOf(value)
      : refuse(node, `a number that a double keeps, as ${value}`, walk);
  }
  if (typeof value === 'bigint') {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return numberOf(number);
    return refuse(node, `a whole number below ${Number.MAX_SAFE_INTEGER}`, walk);
  }
  const allowed = value === null ? '`is_missing(name)`' : 'a number, a text, true or false';
  return refuse(node, allowed, walk);
}

const numberOf = (value: number): Literal => ({ kind: 'literal', type: 'number', value });

function readOf(node: ASTNode, walk: Walk): Read | undefined {
  const name = nameOf(node);
  if (name === undefined) return refuse(node, 'a name of the catalogue', walk);
  const known = walk.catalogue.names.get(name);
  if (known !== undefined) {
    const { type, source } = known;
    return { kind: 'read', type, name, source };
  }
  const nearest = nearestName(name, [...walk.catalogue.names.keys()]);
  const any = isFieldKey(name)
    ? 'a field that `metadata` of the rule set names with its type'
    : 'a name of the catalogue';
  const allowed = nearest === undefined ? any : `\`${nearest}\``;
  return refuse(node, allowed, walk);
}

/** `country`, `metadata.tier`; undefined for members of anything but a name. */
function nameOf(node: ASTNode): string | undefined {
  if (node.op === 'id') return node.args;
  if (node.op !== '.') return undefined;
  const [owner, member] = node.args;
  return owner.op === 'id' ? `${owner.args}.${member}` : undefined;
}

const FUNCTIONS = '`is_missing(name)`, `in_list("name")` or `money(1000, "USD")`';

function callOf(node: ASTNode, walk: Walk): Expression | undefined {
  if (node.op !== 'call') return undefined;
  const [name, parts] = node.args;
  const [first, second] = parts;
  if (name === 'is_missing' && first !== undefined && parts.length === 1) {
    const read = expressionOf(first, walk);
    if (read === undefined) return undefined;
    if (read.kind === 'read') return { kind: 'missing', type: 'boolean', read };
    return refuse(first, 'a name', walk);
  }
  if (name === 'in_list' && first !== undefined && parts.length === 1) return listOf(first, walk);
  if (name === 'money' && first !== undefined && second !== undefined && parts.length === 2) {
    return moneyOf(first, second, walk);
  }
  return refuse(node, FUNCTIONS, walk);
}

const LIST_NAME = /^[a-z][a-z0-9_-]{0,63}$/;

function listOf(node: ASTNode, walk: Walk): Expression | undefined {
  const { lists } = walk.catalogue;
  const name = node.op === 'value' ? node.args : undefined;
  if (typeof name !== 'string' || !LIST_NAME.test(name)) {
    return refuse(node, 'the name of a list in quotes', walk);
  }
  if (lists !== null && !lists.includes(name)) {
    return refuse(
      node,
      `the name of a list: ${nearestName(name, lists) ?? lists.join(', ')}`,
      walk,
    );
  }
  const source = { at: 'input', key: listKey(name) } as const;
  return { kind: 'read', type: 'boolean', name: `in_list("${name}")`, source };
}

/** An amount of another currency reaches the payment's by the dated rate, a column; in the same currency that rate is 1. */
function moneyOf(value: ASTNode, code: ASTNode, walk: Walk): Expression | undefined {
  const amount = expressionOf(value, walk);
  const isNumber = amount?.kind === 'literal' && amount.type === 'number';
  if (amount !== undefined && !isNumber) refuse(value, 'a number', walk);
  const currency = code.op === 'value' ? code.args : undefined;
  if (typeof currency !== 'string' || currencyScale(currency) === undefined) {
    return refuse(code, 'an ISO 4217 currency code in quotes', walk);
  }
  if (!isNumber) return undefined;
  const source = { at: 'input', key: rateKey(currency) } as const;
  const right: Read = { kind: 'read', type: 'amount', name: rateKey(currency), source };
  return { kind: 'arithmetic', type: 'amount', op: '*', left: amount, right };
}

function pairOf(node: ASTNode): readonly [ASTNode, ASTNode] {
  return node.args as [ASTNode, ASTNode];
}

function connection(kind: 'both' | 'either', node: ASTNode, walk: Walk): Expression | undefined {
  const [left, right] = pairOf(node).map((part) => typed(part, ['boolean'], walk));
  if (left === undefined || right === undefined) return undefined;
  return { kind, type: 'boolean', left, right };
}

function negationOf(node: ASTNode, walk: Walk): Expression | undefined {
  const operand = typed(node.args as ASTNode, ['boolean'], walk);
  return operand && { kind: 'not', type: 'boolean', operand };
}

function negativeOf(node: ASTNode, walk: Walk): Expression | undefined {
  const operand = typed(node.args as ASTNode, ['number', 'amount'], walk);
  if (operand === undefined) return undefined;
  if (operand.kind === 'literal') return numberOf(-Number(operand.value));
  return { kind: 'negative', type: operand.type === 'amount' ? 'amount' : 'number', operand };
}

function arithmeticOf(op: ArithmeticOperator, node: ASTNode, walk: Walk): Expression | undefined {
  const parts = pairOf(node);
  const [left, right] = parts.map((part) => typed(part, ['number', 'amount'], walk));
  if (left === undefined || right === undefined) return undefined;
  if (op === '/' && right.kind === 'literal' && right.value === 0) {
    return refuse(parts[1], 'a divisor other than 0', walk);
  }
  if (left.kind === 'literal' && right.kind === 'literal') {
    const value = COMPUTE[op](Number(left.value), Number(right.value));
    if (Number.isFinite(value)) return numberOf(value);
    return refuse(node, 'a number that a double can hold', walk);
  }
  const type = typeOfResult(op, left.type, right.type);
  if (type !== undefined) return { kind: 'arithmetic', type, op, left, right };
  const found = `${left.type} ${op} ${right.type}`;
  return refuse(node, 'two numbers, two amounts, or an amount times or by a number', walk, found);
}

const COMPUTE: Readonly<Record<ArithmeticOperator, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
};

function typeOfResult(
  op: ArithmeticOperator,
  left: ValueType,
  right: ValueType,
): 'number' | 'amount' | undefined {
  if (left === 'number' && right === 'number') return 'number';
  const areAmounts = left === 'amount' && right === 'amount';
  if (op === '+' || op === '-') return areAmounts ? 'amount' : undefined;
  if (op === '/') return areAmounts ? 'number' : left === 'amount' ? 'amount' : undefined;
  return areAmounts ? undefined : 'amount';
}

function comparisonOf(op: Comparison, node: ASTNode, walk: Walk): Expression | undefined {
  const [first, second] = pairOf(node);
  const isEquality = op === '==' || op === '!=';
  const types: readonly ValueType[] = isEquality
    ? ['number', 'amount', 'text']
    : ['number', 'amount'];
  const left = typed(first, types, walk);
  // A problem on the left does not hide one on the right.
  const right = typed(second, types, walk);
  if (left === undefined || right === undefined) return undefined;
  if (left.type === right.type) return { kind: 'comparison', type: 'boolean', op, left, right };
  // The literal is what somebody wrote wrongly, whichever way round.
  const [wrong, type] = left.kind === 'literal' ? [first, right.type] : [second, left.type];
  return refuse(wrong, NAMED[type], walk);
}

function memberOf(node: ASTNode, walk: Walk): Expression | undefined {
  const [first, second] = pairOf(node);
  const read = typed(first, ['number', 'text'], walk);
  if (second.op !== 'list') return refuse(second, 'a list, as `["US", "EG"]`', walk);
  const values = second.args.map((part) => {
    const value = expressionOf(part, walk);
    if (value === undefined || read === undefined) return undefined;
    const isValue = value.kind === 'literal' && value.type === read.type;
    return isValue ? value.value : refuse(part, NAMED[read.type], walk);
  });
  if (read === undefined) return undefined;
  if (read.kind !== 'read') return refuse(first, 'a name', walk);
  if (values.length === 0) return refuse(second, 'a list that is not empty', walk);
  const known = values.filter((value) => typeof value === 'string' || typeof value === 'number');
  return known.length < values.length
    ? undefined
    : { kind: 'member', type: 'boolean', read, values: known };
}
