/**
 * default@3 is default@2 with one more policy: amounts from ten times the 99.99th percentile of their corridor on are declined.
 * In published card payments and in simulated traffic no ordinary amount reaches even that percentile.
 */
import { bandsOf } from '../../../src/core/score/rules/band.ts';
import { default2 } from './default-2.ts';
import type { RuleSet } from './rule.ts';

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
