/** The one registry of rules. Their order is the order in which risk is combined: append, never sort. */
import { accountFraud } from './catalogue/account-fraud.ts';
import { amountOverHabit } from './catalogue/amount-over-habit.ts';
import { amountOverLimit } from './catalogue/amount-over-limit.ts';
import { amountOverMerchant } from './catalogue/amount-over-merchant.ts';
import { burstAcrossMerchants } from './catalogue/burst-across-merchants.ts';
import { dormantAccount } from './catalogue/dormant-account.ts';
import { impossibleTravel } from './catalogue/impossible-travel.ts';
import { merchantBurst } from './catalogue/merchant-burst.ts';
import { merchantFanIn } from './catalogue/merchant-fan-in.ts';
import { merchantFraudRate } from './catalogue/merchant-fraud-rate.ts';
import { merchantFraudRun } from './catalogue/merchant-fraud-run.ts';
import { newCorridor } from './catalogue/new-corridor.ts';
import { newCountry } from './catalogue/new-country.ts';
import { newDevice } from './catalogue/new-device.ts';
import { newMerchant } from './catalogue/new-merchant.ts';
import { nightHighAmount } from './catalogue/night-high-amount.ts';
import { structuring } from './catalogue/structuring.ts';
import { velocityCount1h } from './catalogue/velocity-count-1h.ts';
import { velocityCount24h } from './catalogue/velocity-count-24h.ts';
import { velocitySum24h } from './catalogue/velocity-sum-24h.ts';
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
