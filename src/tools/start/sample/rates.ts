/** Exchange rates of the sample: the same on each of its days. */
import type { ExchangeRate } from '../../../kit/client/api-types.ts';
import { RATED_CURRENCIES, unitsPerDollar } from '../../simulate/geography.ts';
import { DAYS } from './transactions.ts';

const DAY_MS = 86_400_000;

export const usdOf = (currency: string) => (1 / unitsPerDollar(currency)).toFixed(6);

export function sampleRates(nowMs: number): ExchangeRate[] {
  const days = Array.from({ length: DAYS + 1 }, (_, ago) =>
    new Date(nowMs - ago * DAY_MS).toISOString().slice(0, 10),
  );
  return RATED_CURRENCIES.flatMap((currency) =>
    days.map((day) => ({ day, currency, usd: usdOf(currency) })),
  );
}
