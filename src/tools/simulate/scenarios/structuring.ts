/** One large sum cut into transfers that each stay just below the reporting limit of the currency. */
import { currencyScale } from '../../../core/domain/currency.ts';
import { reportingLimitMinor } from '../../../core/domain/reporting-limit.ts';
import { between, type Random } from '../../../kit/random.ts';
import type { Account } from '../accounts.ts';
import { money } from '../geography.ts';
import { anyAccount, otherMerchant, usualTransaction, type World } from '../world.ts';
import { DAY_MS, HOUR_MS, type Scenario } from './scenario.ts';

const DRAWS_MAX = 100;
const BY_DEFAULT = 10_000;

export const structuring: Scenario = {
  name: 'structuring',
  size: [4, 8],
  durationMs: [12 * HOUR_MS, 2.5 * DAY_MS],
  begin(world, random) {
    const account = limitedAccount(world, random);
    const limit = limitOf(account.currency) ?? BY_DEFAULT;
    const merchantId = world.merchants.id(otherMerchant(world, account, random));
    return () => ({
      ...usualTransaction(world, account, random),
      merchantId,
      type: 'transfer',
      amount: money(Math.round(limit * between(random, 0.88, 0.995)), account.currency),
    });
  },
};

/** Reporting limit in units of the currency; undefined where there is none. */
function limitOf(currency: string): number | undefined {
  const minor = reportingLimitMinor(currency);
  return Number.isNaN(minor) ? undefined : minor / 10 ** (currencyScale(currency) ?? 2);
}

function limitedAccount(world: World, random: Random): Account {
  let account = anyAccount(world, random);
  for (let draw = 0; draw < DRAWS_MAX && limitOf(account.currency) === undefined; draw++) {
    account = anyAccount(world, random);
  }
  return account;
}
