/**
 * default@2: default@1, and rules on the labels of a transaction's merchant and account. The new weights were
 * chosen on two labelled weeks of card payments, before the evaluated ones; they hold where labels come a week
 * late.
 */
import { bandsOf } from '../../../src/core/score/rules/band.ts';
import { default1 } from './default-1.ts';
import type { RuleSet } from './rule.ts';

export const default2: RuleSet = {
  ...default1,
  id: 'default@2',
  featureSchema: 2,
  rules: [
    ...default1.rules,
    {
      rule: 'merchant-fraud-run',
      bounds: { days: 28 },
      bands: bandsOf([0.1, 0.05], [0.3, 0.4], [0.6, 0.8], [0.85, 0.93]),
    },
    {
      rule: 'merchant-fraud-rate',
      bounds: { siblings: 20 },
      bands: bandsOf([0.1, 0.02], [0.3, 0.08], [0.6, 0.2]),
    },
    {
      rule: 'account-fraud',
      bounds: {},
      bands: bandsOf([1, 0.02], [2, 0.2], [3, 0.5]),
    },
  ],
};
