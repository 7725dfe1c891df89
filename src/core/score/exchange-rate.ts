/** Exchange rates by which rules compare amounts of several currencies. */
import { DAY_MS } from '../../kit/words/utc-bucket.ts';
import type { Transaction } from '../domain/transaction.ts';

/**
 * How many units of the payment's currency one unit of the named currency buys: by the newest rates up to the day of the payment,
 * or by the oldest in memory for a payment from before them. Undefined where one of the two has no rate.
 */
export type RateOf = (
  currency: string,
  payment: Pick<Transaction, 'currency' | 'createdAtMs'>,
) => number | undefined;
export type Rates = () => Promise<RateOf>;

/** US dollars for one unit, from a day on; days since 1970 rise. */
export type Rate = { readonly currency: string; readonly day: number; readonly usd: number };

const DOLLAR = 'USD';

export function rateOfRows(rows: readonly Rate[]): RateOf {
  const days = Map.groupBy(rows, ({ currency }) => currency);
  const dollarsOf = (currency: string, day: number) => {
    if (currency === DOLLAR) return 1;
    const rates = days.get(currency);
    return (rates?.findLast((rate) => rate.day <= day) ?? rates?.[0])?.usd;
  };
  return (currency, payment) => {
    if (currency === payment.currency) return 1;
    const day = Math.floor(payment.createdAtMs / DAY_MS);
    const [its, own] = [currency, payment.currency].map((one) => dollarsOf(one, day));
    return its === undefined || own === undefined ? undefined : its / own;
  };
}
