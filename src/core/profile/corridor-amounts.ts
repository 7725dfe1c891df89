/** Compares an amount with the percentile of its corridor that was written for the day of the transaction or shortly before. */
import { DAY_MS } from '../../kit/words/utc-bucket.ts';
import { type CorridorAmountRows, FRESH_DAYS } from '../domain/corridor-amount.ts';
import { packLetters } from './pack.ts';

export type CorridorAmounts = {
  /**
   * The amount divided by the newest percentile of the last FRESH_DAYS. NaN without such a percentile or an exchange rate.
   * @param corridor packed letters, as `currency`
   */
  readonly ratio: (ms: number, corridor: number, currency: number, amount: number) => number;
};

export const NO_CORRIDOR_AMOUNTS: CorridorAmounts = { ratio: () => Number.NaN };

type Day = {
  readonly day: number;
  readonly currency: number;
  readonly amount: number;
  readonly usd: number;
  readonly rates: ReadonlyMap<number, number>;
};

const DOLLAR = packLetters('USD');

export function createCorridorAmounts({ percentiles, rates }: CorridorAmountRows): CorridorAmounts {
  if (percentiles.length === 0) return NO_CORRIDOR_AMOUNTS;
  const ratesOf = new Map<number, Map<number, number>>();
  for (const { day } of percentiles) ratesOf.set(day, new Map([[DOLLAR, 1]]));
  for (const { day, currency, usd } of rates) ratesOf.get(day)?.set(packLetters(currency), usd);
  const corridors = new Map<number, Day[]>();
  for (const one of percentiles.toSorted((a, b) => b.day - a.day)) {
    const corridor = packLetters(one.corridor);
    const currency = packLetters(one.currency);
    const ofDay = ratesOf.get(one.day) ?? new Map<number, number>();
    const usd = one.amount * (ofDay.get(currency) ?? Number.NaN);
    const days = corridors.get(corridor) ?? [];
    days.push({ day: one.day, currency, amount: one.amount, usd, rates: ofDay });
    corridors.set(corridor, days);
  }
  return {
    ratio(ms, corridor, currency, amount) {
      const today = Math.floor(ms / DAY_MS);
      for (const one of corridors.get(corridor) ?? []) {
        if (one.day > today) continue;
        if (one.day <= today - FRESH_DAYS) break;
        if (one.currency === currency) return amount / one.amount;
        return (amount * (one.rates.get(currency) ?? Number.NaN)) / one.usd;
      }
      return Number.NaN;
    },
  };
}
