/**
 * default@2: default@1, and rules on the labels of a transaction's merchant and account. The new weights were
 * chosen on two labelled weeks of card payments, before the evaluated ones; they hold where labels come a week
 * late.
 */
import type { RuleSet } from '../rule.ts';
import { default1 } from './default-1.ts';

export const default2: RuleSet = {
  ...default1,
  id: 'default@2',
  featureSchema: 2,
  rules: [
    ...default1.rules,
    {
      rule: 'merchant-fraud-run',
      bounds: { days: 28 },
      bands: [
        { from: 0.1, weight: 0.05 },
        { from: 0.3, weight: 0.4 },
        { from: 0.6, weight: 0.8 },
        { from: 0.85, weight: 0.93 },
      ],
    },
    {
      rule: 'merchant-fraud-rate',
      bounds: { siblings: 20 },
      bands: [
        { from: 0.1, weight: 0.02 },
        { from: 0.3, weight: 0.08 },
        { from: 0.6, weight: 0.2 },
      ],
    },
    {
      rule: 'account-fraud',
      bounds: {},
      bands: [
        { from: 1, weight: 0.02 },
        { from: 2, weight: 0.2 },
        { from: 3, weight: 0.5 },
      ],
    },
  ],
};
