/**
 * Goal: the log-odds of rules that read labels are told from those of the others, and are weighed by themselves. Method: random
 * vectors with and without the features that labels make, and tables with other slopes.
 */
import { expect, test } from 'vitest';
import { FEATURE_LIST } from '../../../../../src/core/domain/feature-schema.ts';
import { isOfLabels } from '../../../../../src/core/domain/label.ts';
import { BUILT_IN, findRuleSet } from '../../../../../src/core/score/rules/rule-sets.ts';
import {
  logOddsByRules,
  marginBy,
  riskBy,
} from '../../../../../src/core/score/scorecard/judge-by-table.ts';
import { logOddsOf } from '../../../../../src/core/score/scorecard/measures.ts';
import { createRandom } from '../../../../../src/kit/random.ts';
import { randomTable } from '../../../../support/random-tables.ts';

const random = createRandom('slopes');
const VECTORS = Array.from({ length: 2000 }, () =>
  Float64Array.from(FEATURE_LIST, ({ name }) => {
    const drawn = random();
    return drawn < 0.2 ? Number.NaN : /rate|share/.test(name) ? drawn : 40 * drawn ** 4;
  }),
);

const unlabelled = (vector: Float64Array) =>
  vector.map((value, at) => (isOfLabels(FEATURE_LIST[at]?.name ?? 'hour') ? Number.NaN : value));

test('labels make these features, and three rules of the build read them', () => {
  expect(FEATURE_LIST.map(({ name }) => name).filter(isOfLabels)).toEqual([
    ...['fraud_rate_7d', 'fraud_rate_30d', 'fraud_rate_90d', 'young_frauds'],
    ...['merchant_fraud_rate_24h', 'merchant_fraud_rate_7d', 'merchant_fraud_rate_30d'],
    ...['merchant_fraud_rate_90d', 'merchant_ordinary_rate_7d', 'merchant_young_frauds'],
    ...['merchant_run_days', 'merchant_first_fraud_days', 'merchant_first_fraud_share'],
    ...['cell_amount_lift', 'type_lift', 'channel_lift', 'device_frauds', 'ip_frauds'],
  ]);
  for (const { rules } of BUILT_IN) {
    expect(rules.filter(({ readsLabels }) => readsLabels).map(({ id }) => id)).toEqual([
      ...['merchant-fraud-run', 'merchant-fraud-rate', 'account-fraud'],
    ]);
  }
});

test('the rules that read no labels say what all rules say without features that labels make', () => {
  let added = 0;
  for (const ruleSet of BUILT_IN) {
    for (const vector of VECTORS) {
      const without = riskBy(ruleSet, unlabelled(vector));
      expect(riskBy(ruleSet, vector).ofOthers).toBe(without.risk);
      expect(logOddsByRules(ruleSet, unlabelled(vector)).labelLogOdds).toBe(0);
      const { logOdds, labelLogOdds } = logOddsByRules(ruleSet, vector);
      expect(logOdds).toBe(logOddsOf(riskBy(ruleSet, vector).risk));
      expect(labelLogOdds).toBe(logOdds - logOddsOf(without.risk));
      if (labelLogOdds > 0) added++;
    }
  }
  expect(added).toBeGreaterThan(100);
});

test('a table weighs by its second slope what rules that read labels add, and nothing else', () => {
  const table = randomTable(random);
  const { scorecard } = table.table;
  const higher = { ...scorecard, labelSlope: scorecard.labelSlope + 2 };
  const other = { table: { ...table.table, scorecard: higher } };
  const ruleSet = findRuleSet(table.table.ruleSet) ?? expect.fail('no rule set');
  for (const vector of VECTORS) {
    const { labelLogOdds } = logOddsByRules(ruleSet, vector);
    expect(marginBy(other, vector) - marginBy(table, vector)).toBeCloseTo(2 * labelLogOdds, 9);
  }
});
