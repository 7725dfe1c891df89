/** The one registry of rules. Their order is the order in which risk is combined: append, never sort. */
import {
  accountFraud,
  burstAcrossMerchants,
  dormantAccount,
  impossibleTravel,
  newCorridor,
  newCountry,
  newDevice,
  newMerchant,
  velocityCount1h,
  velocityCount24h,
} from './catalogue/account.ts';
import {
  amountOverHabit,
  amountOverLimit,
  amountOverMerchant,
  nightHighAmount,
  structuring,
  velocitySum24h,
} from './catalogue/amounts.ts';
import {
  merchantBurst,
  merchantFanIn,
  merchantFraudRate,
  merchantFraudRun,
} from './catalogue/merchant.ts';
import type { Rule } from './rule.ts';

export const RULES: readonly Rule[] = [
  amountOverLimit,
  amountOverHabit,
  amountOverMerchant,
  velocityCount1h,
  velocityCount24h,
  velocitySum24h,
  newMerchant,
  newCorridor,
  newCountry,
  newDevice,
  dormantAccount,
  structuring,
  burstAcrossMerchants,
  nightHighAmount,
  impossibleTravel,
  merchantBurst,
  merchantFanIn,
  merchantFraudRun,
  merchantFraudRate,
  accountFraud,
];
