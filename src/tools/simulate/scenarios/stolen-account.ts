/** A stolen card for some days: the owner's places and hours, amounts three to seven times the habit. */
import { between } from '../../../kit/random.ts';
import { money } from '../geography.ts';
import { anyAccount, otherMerchant, strangeDevice, usualTransaction } from '../world.ts';
import { DAY_MS, type Scenario } from './scenario.ts';

export const stolenAccount: Scenario = {
  name: 'stolen_account',
  size: [8, 18],
  durationMs: [3 * DAY_MS, 10 * DAY_MS],
  begin(world, random) {
    const account = anyAccount(world, random);
    const device = strangeDevice(random);
    return () => {
      const usual = usualTransaction(world, account, random);
      const elsewhere = random() < 0.5;
      return {
        ...usual,
        amount: money(account.level * between(random, 3, 7), account.currency),
        merchantId: elsewhere
          ? world.merchants.id(otherMerchant(world, account, random))
          : usual.merchantId,
        deviceId: random() < 0.4 ? device : usual.deviceId,
      };
    };
  },
};
