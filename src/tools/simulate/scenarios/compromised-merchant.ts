/** Cards of a merchant's customers are used there by somebody else: ordinary amounts, strange devices. */
import { between, logNormal } from '../../../kit/random.ts';
import { money } from '../geography.ts';
import {
  AMOUNT_SIGMA,
  anyAccount,
  otherMerchant,
  strangeDevice,
  usualTransaction,
} from '../world.ts';
import { DAY_MS, type Scenario } from './scenario.ts';

export const compromisedMerchant: Scenario = {
  name: 'compromised_merchant',
  size: [15, 35],
  durationMs: [2 * DAY_MS, 7 * DAY_MS],
  begin(world, random) {
    const merchant = otherMerchant(world, anyAccount(world, random), random);
    return () => {
      const account = anyAccount(world, random);
      const median = account.level * between(random, 1, 2.5);
      return {
        ...usualTransaction(world, account, random),
        merchantId: world.merchants.id(merchant),
        amount: money(logNormal(random, median, AMOUNT_SIGMA), account.currency),
        deviceId: strangeDevice(random),
      };
    };
  },
};
