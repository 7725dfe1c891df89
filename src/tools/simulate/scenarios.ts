/** The fraud scenarios, in the order in which episodes take turns. */
import { accountTakeover } from './scenarios/account-takeover.ts';
import { compromisedMerchant } from './scenarios/compromised-merchant.ts';
import { muleFanIn } from './scenarios/mule-fan-in.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { stolenAccount } from './scenarios/stolen-account.ts';
import { structuring } from './scenarios/structuring.ts';

export const FRAUD_SCENARIOS: readonly [Scenario, ...Scenario[]] = [
  accountTakeover,
  structuring,
  stolenAccount,
  compromisedMerchant,
  muleFanIn,
];
