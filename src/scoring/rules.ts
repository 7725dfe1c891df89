/** The one registry of rules. Their order is the order in which risk is combined: append, never sort. */
import type { Rule } from './rule.ts';
import { accountFraud } from './rules/account-fraud.ts';
import { amountOverHabit } from './rules/amount-over-habit.ts';
import { amountOverLimit } from './rules/amount-over-limit.ts';
import { amountOverMerchant } from './rules/amount-over-merchant.ts';
import { burstAcrossMerchants } from './rules/burst-across-merchants.ts';
import { dormantAccount } from './rules/dormant-account.ts';
import { impossibleTravel } from './rules/impossible-travel.ts';
import { merchantBurst } from './rules/merchant-burst.ts';
import { merchantFanIn } from './rules/merchant-fan-in.ts';
import { merchantFraudRate } from './rules/merchant-fraud-rate.ts';
import { merchantFraudRun } from './rules/merchant-fraud-run.ts';
import { newCorridor } from './rules/new-corridor.ts';
import { newCountry } from './rules/new-country.ts';
import { newDevice } from './rules/new-device.ts';
import { newMerchant } from './rules/new-merchant.ts';
import { nightHighAmount } from './rules/night-high-amount.ts';
import { structuring } from './rules/structuring.ts';
import { velocityCount1h } from './rules/velocity-count-1h.ts';
import { velocityCount24h } from './rules/velocity-count-24h.ts';
import { velocitySum24h } from './rules/velocity-sum-24h.ts';

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
