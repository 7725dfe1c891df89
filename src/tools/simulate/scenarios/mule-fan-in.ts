/** Many accounts that never met pay one small merchant within an hour: money is being collected. */
import { between, integerBetween } from '../../../kit/random.ts';
import { money, unitsPerDollar } from '../geography.ts';
import { anyAccount, usualTransaction } from '../world.ts';
import { MINUTE_MS, type Scenario } from './scenario.ts';

export const muleFanIn: Scenario = {
  name: 'mule_fan_in',
  size: [25, 45],
  durationMs: [15 * MINUTE_MS, 50 * MINUTE_MS],
  begin(world, random) {
    // The less popular half: a merchant with little traffic of its own.
    const merchant = integerBetween(
      random,
      Math.floor(world.merchants.count / 2),
      world.merchants.count - 1,
    );
    return () => {
      const account = anyAccount(world, random);
      const dollars = Math.round(between(random, 20, 90)) * 10;
      return {
        ...usualTransaction(world, account, random),
        merchantId: world.merchants.id(merchant),
        type: 'transfer',
        amount: money(Math.round(dollars * unitsPerDollar(account.currency)), account.currency),
      };
    };
  },
};
