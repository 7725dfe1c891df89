/** Compares what random expressions give as rules of a compiled rule set with what their oracle gives. */
import fc from 'fast-check';
import { FEATURE_COUNT, featureIndex } from '../../src/core/domain/feature-schema.ts';
import {
  type CompiledRuleSet,
  compileRuleSet,
} from '../../src/core/score/rules/compile-rule-set.ts';
import type { Inputs } from '../../src/core/score/rules/generate-program.ts';
import {
  type Environment,
  environments,
  evaluate,
  expressions,
  FIELDS,
  isRefused,
  type Made,
  toText,
  type Value,
} from './random-expressions.ts';

const FEATURES = ['siblings', 'count_1h', 'amount', 'median'] as const;
const JUNK: readonly unknown[] = [null, undefined, {}, Symbol('junk'), 1n, Number.NaN];
const VALUES_A_RULE = 3;

export function fuzzExpressions(runs: number, seed?: number): void {
  fc.assert(
    fc.property(
      expressions.condition,
      expressions.number,
      fc.array(environments, { minLength: VALUES_A_RULE, maxLength: VALUES_A_RULE }),
      compareWithOracle,
    ),
    { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
  );
}

function compareWithOracle(condition: Made, number: Made, values: readonly Environment[]): void {
  const compiled = compileRuleSet(toRuleSet(condition, number));
  const refused = isRefused(condition) || isRefused(number);
  if ('problems' in compiled) {
    if (refused && compiled.problems.every(({ at }) => /double|divisor/.test(at?.allowed ?? ''))) {
      return;
    }
    throw new Error(`refused: ${JSON.stringify(compiled.problems)}`);
  }
  if (refused) throw new Error('a constant without a value was let pass');
  for (const environment of values) {
    compareValues(compiled.ruleSet, evaluate(condition, environment), environment);
    const measured = compiled.ruleSet.program.measure(...rowOf(compiled.ruleSet, environment))[2];
    const value = Number(evaluate(number, environment) ?? Number.NaN);
    // -0 and 0 are one number.
    if (!(measured === value || (Number.isNaN(measured) && Number.isNaN(value)))) {
      throw new Error(`measured ${measured}, not ${value}: ${JSON.stringify(environment)}`);
    }
  }
}

function rowOf({ inputs: keys }: CompiledRuleSet, environment: Environment) {
  const vector = new Float64Array(FEATURE_COUNT).fill(Number.NaN);
  for (const name of FEATURES) vector[featureIndex(name)] = Number(environment[name] ?? Number.NaN);
  // A missing value is null, or of no type that a rule reads.
  const inputs = keys.map((key, nth) => environment[key] ?? JUNK[nth % JUNK.length]) as Inputs;
  return [vector, inputs, Number(environment['probability'] ?? Number.NaN)] as const;
}

/** Rule 0 is the condition, rule 1 its negation: where the condition is missing, neither fires. */
function compareValues(ruleSet: CompiledRuleSet, wanted: Value, environment: Environment): void {
  const { program } = ruleSet;
  const row = rowOf(ruleSet, environment);
  const count = program.decide(...row);
  // Neither a value nor its absence makes an expression throw, also where a sentence has it.
  if (program.failures().length > 0) throw program.failures()[0]?.error;
  for (const detail of program.details) detail(...row);
  const fired = [...program.fired.subarray(0, count)].filter((index) => index < 2).join();
  const expected = wanted === undefined ? '' : wanted === true ? '0' : '1';
  if (fired === expected) return;
  throw new Error(`fired ${fired}, not ${expected}: ${JSON.stringify(environment)}`);
}

function toRuleSet(condition: Made, number: Made) {
  const rule = (id: string) => ({ id, code: id.toUpperCase(), sentence: 'A sentence.' });
  const when = toText(condition);
  return {
    version: 2,
    id: 'fuzz@1',
    feature_schema: 3,
    metadata: FIELDS,
    rules: [
      { ...rule('a'), when, weight: 0.5 },
      { ...rule('b'), when: `!(${when})`, weight: 0.5 },
      {
        ...{ ...rule('c'), measure: toText(number), bands: [{ from: 1, weight: 0.5 }] },
        detail: '{measure:9} of {amount:2} {currency} at {probability}',
      },
    ],
    verdicts: { all: { review: 500, decline: 800 } },
  };
}
