/**
 * default@3 is default@2 with one more policy: amounts from ten times the 99.99th percentile of their corridor on are declined.
 * In published card payments and in simulated traffic no ordinary amount reaches even that percentile.
 */
import { bandsOf } from '../band.ts';
import type { RuleData, RuleSetData } from '../rule-set-data.ts';
import { default2 } from './default-2.ts';

/**
 * Compares the amount with the 99.99th percentile of its corridor, so that an account without a history is judged as well. A
 * known false positive is the first payment of a kind that is new to the corridor, such as for a house.
 */
const amountBeyondCorridor: RuleData = {
  id: 'amount-beyond-corridor',
  code: 'AMOUNT_BEYOND_CORRIDOR',
  sentence: 'The amount is far beyond what is paid in its corridor.',
  measure: 'amount_to_corridor',
  bands: bandsOf([10, 1]),
  policy: true,
  detail:
    'Amount {amount:2} is {measure:1} times what 9,999 of 10,000 amounts in its corridor do not exceed',
};

export const default3: RuleSetData = {
  ...default2,
  id: 'default@3',
  feature_schema: 3,
  rules: [...default2.rules, amountBeyondCorridor],
};
