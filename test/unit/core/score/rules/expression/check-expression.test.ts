/**
 * Goal: an expression is told all that is wrong with it, where, and what is allowed; what passes is well-typed CEL. Method:
 * named mistakes, and random expressions that CEL's own checker must let pass as well.
 */
import { Environment } from '@marcbachmann/cel-js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCatalogue } from '../../../../../../src/core/score/rules/expression/catalogue.ts';
import { checkExpression } from '../../../../../../src/core/score/rules/expression/check-expression.ts';
import type { ValueType } from '../../../../../../src/core/score/rules/expression/expression.ts';
import {
  AMOUNTS,
  expressions,
  FIELD_NAMES,
  LISTS,
  type Made,
  toText,
} from '../../../../../support/random-expressions.ts';

const catalogue = createCatalogue(FIELD_NAMES, LISTS);
if (catalogue === undefined) throw new Error('schema 3 is gone');

const check = (text: string, type: ValueType = 'boolean') =>
  checkExpression(text, catalogue, [type]);
const problemsOf = (text: string) => {
  const checked = check(text);
  return 'problems' in checked ? checked.problems : [];
};

test('a problem names line, column, what is there and what is allowed', () => {
  expect(problemsOf('siblings > 3 &&\n  sibblings < 9')).toEqual([
    { line: 2, column: 3, found: '`sibblings`', allowed: '`siblings`' },
  ]);
});

test('a number is one type, however it is written', () => {
  const trees = ['siblings == 3', 'siblings == 3.0', 'siblings == 0x3', 'siblings == 3e0'].map(
    (text) => check(text),
  );
  expect(trees.map((one) => 'expression' in one)).toEqual([true, true, true, true]);
  expect(new Set(trees.map((one) => JSON.stringify(one))).size).toBe(1);
  expect(check('siblings + 1 > 2.5 && 3 > 2.5')).toHaveProperty('expression');
});

class Amount {}
class Metadata {}
const numeric = ['+', '-'].map((op) => `Amount ${op} Amount: Amount`);
const compared = ['<', '<=', '>', '>='].map((op) => `Amount ${op} Amount: bool`);
/** CEL with the catalogue of the fuzz, amounts as a type of its own. */
const cel = new Environment()
  .registerType('Amount', Amount)
  .registerType('Metadata', {
    ctor: Metadata,
    fields: { points: 'double', tier: 'string', vip: 'bool' },
  })
  .registerVariable('metadata', 'Metadata')
  .registerVariable('siblings', 'double')
  .registerVariable('count_1h', 'double')
  .registerVariable('probability', 'double')
  .registerVariable('currency', 'string')
  .registerFunction('is_missing(dyn): bool', () => false)
  .registerFunction('in_list(string): bool', () => false)
  .registerFunction('money(double, string): Amount', () => new Amount());
for (const name of AMOUNTS) cel.registerVariable(name, 'Amount');
for (const signature of [
  ...numeric,
  ...compared,
  'Amount == Amount: bool',
  'double * Amount: Amount',
  'Amount * double: Amount',
  'Amount / double: Amount',
  'Amount / Amount: double',
  '-Amount: Amount',
]) {
  cel.registerOperator(signature, () => undefined);
}

/** Operators with any operands, most of which do not fit. */
const untyped = fc.letrec<{ any: Made }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small', maxDepth: 3 },
    ...[expressions.condition, expressions.number, expressions.amount].map((one) =>
      one.map((made): Made => made),
    ),
    fc
      .tuple(
        fc.constantFrom('+', '-', '*', '/', '<', '>=', '==', '!=', '&&', '||'),
        tie('any'),
        tie('any'),
      )
      .map(([op, left, right]) => ({ op, left, right }) as Made),
    fc.tuple(fc.constantFrom('!', 'negative'), tie('any')).map(([op, of]) => ({ op, of }) as Made),
  ),
}));

test("CEL's own checker lets pass what passes here, with the same type", () => {
  let passed = 0;
  fc.assert(
    fc.property(untyped.any, (made) => {
      const own = checkExpression(toText(made), catalogue, ['boolean', 'number', 'amount', 'text']);
      if (!('expression' in own)) return;
      passed++;
      const { valid, type, error } = cel.check(toText(made, '.0'));
      const names = { boolean: 'bool', number: 'double', amount: 'Amount', text: 'string' };
      expect([valid, type, error?.message]).toEqual([true, names[own.expression.type], undefined]);
    }),
    { numRuns: 1500 },
  );
  expect(passed).toBeGreaterThan(100);
});
