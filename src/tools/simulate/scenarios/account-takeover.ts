/** Somebody logs in from a new device abroad and empties the account within an hour or two. */
import { between } from '../../../kit/random.ts';
import { testAddress } from '../accounts.ts';
import { money } from '../geography.ts';
import {
  anyAccount,
  foreignCountry,
  otherMerchant,
  strangeDevice,
  usualTransaction,
} from '../world.ts';
import { HOUR_MS, MINUTE_MS, type Scenario } from './scenario.ts';

export const accountTakeover: Scenario = {
  name: 'account_takeover',
  size: [8, 16],
  durationMs: [20 * MINUTE_MS, 2 * HOUR_MS],
  begin(world, random) {
    const account = anyAccount(world, random);
    const deviceId = strangeDevice(random);
    const country = foreignCountry(account, random);
    const ip = testAddress(random());
    return () => ({
      ...usualTransaction(world, account, random),
      merchantId: world.merchants.id(otherMerchant(world, account, random)),
      amount: money(account.level * between(random, 1.5, 4), account.currency),
      type: 'transfer',
      channel: 'web',
      ip,
      deviceId,
      country,
    });
  },
};
