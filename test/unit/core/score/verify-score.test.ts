/** Goal: no stored value can change unnoticed. Method: one bit, field or reason changed at a time. */
import { expect, test } from 'vitest';
import { FEATURE_SCHEMA } from '../../../../src/core/domain/feature-schema.ts';
import { currentRuleSet } from '../../../../src/core/score/rules/rule-sets.ts';
import { score } from '../../../../src/core/score/score.ts';
import { marginBy } from '../../../../src/core/score/scorecard/judge-by-table.ts';
import { type ScoreEvidence, verifyScore } from '../../../../src/core/score/verify-score.ts';
import { createRandom } from '../../../../src/kit/random.ts';
import { randomTable } from '../../../support/random-tables.ts';
import { makeVector } from './vector.ts';

const features = makeVector({
  amounts: 40,
  amount_to_p90: 2.3,
  amount_to_median: 4,
  amount: 200,
  median: 50,
  amount_zscore: 4,
});
const table = randomTable(createRandom('verify'));
const margin = marginBy(table, features);
const stored: ScoreEvidence = {
  ...score({ vector: features, ruleSet: currentRuleSet, opinion: null }),
  features,
  ruleInputs: null,
  featureSchema: FEATURE_SCHEMA,
  ruleSet: currentRuleSet.id,
  model: null,
  corridor: 'US-EG',
  margin,
  scorecard: table.serial,
};

function flipBit(value: number, bit: number): number {
  const double = Float64Array.of(value);
  const bits = new BigUint64Array(double.buffer);
  bits[0] = (bits[0] ?? 0n) ^ (1n << BigInt(bit));
  return double[0] ?? 0;
}

test('verifyScore finds nothing where nothing changed, whatever order the reasons have their keys in', () => {
  expect(verifyScore(stored, currentRuleSet, null, table)).toEqual([]);
  const reasons = stored.reasons.map(({ code, detail, contribution }) => ({
    contribution,
    detail,
    code,
  }));
  expect(verifyScore({ ...stored, reasons }, currentRuleSet, null, table)).toEqual([]);
});

test.each<[string, Partial<ScoreEvidence>, string]>([
  ['the risk by its last bit', { risk: flipBit(stored.risk, 0) }, 'risk'],
  ['the score', { score: stored.score - 1 }, 'score'],
  ['the verdict', { verdict: 'decline' }, 'verdict'],
  ['the probability', { probability: 0 }, 'probability'],
  ['the reasons', { reasons: [] }, 'reasons'],
  ['the rule set', { ruleSet: 'default@0' }, 'rule_set'],
  ['the feature schema', { featureSchema: FEATURE_SCHEMA + 1 }, 'feature_schema'],
  ['the length of the vector', { features: features.slice(1) }, 'features'],
  ['the model', { model: 'baseline@1' }, 'model'],
  ['the margin by its last bit', { margin: flipBit(margin, 0) }, 'margin'],
  ['the table', { scorecard: 2 }, 'scorecard'],
  ['the points of the rules alone', { byRules: 5 }, 'by_rules'],
  ['the lack of a table', { scorecard: null }, 'scorecard'],
])('verifyScore finds %s changed', (_, change, field) => {
  expect(verifyScore({ ...stored, ...change }, currentRuleSet, null, table)).toContain(field);
});

test('verifyScore asks nothing of a score that was made before margins, and takes the rules for a margin without a table', () => {
  const before = { ...stored, margin: null, scorecard: null };
  expect(verifyScore(before, currentRuleSet, null, undefined)).toEqual([]);
  const first = { ...stored, margin: marginBy(null, features), scorecard: null };
  expect(verifyScore(first, currentRuleSet, null, null)).toEqual([]);
  expect(verifyScore(stored, currentRuleSet, null, undefined)).toEqual(['scorecard']);
});
