/** The one registry of rules. Their order is the order in which risk is combined: append, never sort. */
import * as account from './catalogue/account.ts';
import * as amounts from './catalogue/amounts.ts';
import * as merchant from './catalogue/merchant.ts';
import type { Rule } from './rule.ts';

export const RULES: readonly Rule[] = [
  amounts.amountOverLimit,
  amounts.amountOverHabit,
  amounts.amountOverMerchant,
  account.velocityCount1h,
  account.velocityCount24h,
  amounts.velocitySum24h,
  account.newMerchant,
  account.newCorridor,
  account.newCountry,
  account.newDevice,
  account.dormantAccount,
  amounts.structuring,
  account.burstAcrossMerchants,
  amounts.nightHighAmount,
  account.impossibleTravel,
  merchant.merchantBurst,
  merchant.merchantFanIn,
  merchant.merchantFraudRun,
  merchant.merchantFraudRate,
  account.accountFraud,
  amounts.amountBeyondCorridor,
];
