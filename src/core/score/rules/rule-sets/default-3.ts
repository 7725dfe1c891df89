/**
 * default@3: default@2, and a policy that declines amounts beyond ten times the 99.99th percentile of their corridor. On
 * published card payments and on simulated traffic no ordinary amount reaches that percentile.
 */
import { bandsOf } from '../band.ts';
import type { RuleSet } from '../rule.ts';
import { default2 } from './default-2.ts';

export const default3: RuleSet = {
  ...default2,
  id: 'default@3',
  featureSchema: 3,
  rules: [
    ...default2.rules,
    {
      rule: 'amount-beyond-corridor',
      bounds: {},
      bands: bandsOf([10, 1]),
      isPolicy: true,
    },
  ],
};
