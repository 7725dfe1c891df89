/** Examples of rule sets and of what became of what rules fired on. */
import type { RuleSetJson } from './catalogue.ts';
import type { RuleOutcomesJson } from './rule-outcomes.ts';

export const ruleSet: RuleSetJson = {
  ...{ rule_set: 'default@2', in_force: true, feature_schema: 2 },
  sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  verdicts: { review: 500, decline: 800 },
  rules: [
    {
      ...{ rule: 'velocity-count-1h', code: 'VELOCITY_COUNT_1H', policy: false },
      description: 'Many more transactions within an hour than this account usually makes.',
      features: ['count_1h', 'usual_1h'],
      bounds: [{ bound: 'timesUsual', value: 5, meaning: 'times the usual number' }],
      bands: [
        { from: 4, weight: 0.1 },
        { from: 6, weight: 0.4 },
      ],
    },
  ],
};

export const ruleOutcomes: RuleOutcomesJson = {
  rule_set: 'default@2',
  ...{ from: '2026-11-14T00:00:00.000Z', to: '2026-11-20T09:30:00.000Z' },
  ...{ scores: 1_204_113, sampled: 20_000 },
  rules: [
    {
      ...{ code: 'VELOCITY_COUNT_1H', hits: 5120 },
      sampled: { hits: 85, approve: 20, review: 50, decline: 15, fraud: 31, legitimate: 9 },
      precision: { rows: 40, value: 0.775, low: 0.625, high: 0.877 },
    },
  ],
};
