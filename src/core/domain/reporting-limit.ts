/**
 * Amounts by currency above which a transfer must be reported, or a similar amount where no law names one.
 * People who avoid a report stay just below. A change of any number is a change of the feature schema.
 */
import { currencyScale } from './currency.ts';

/** Limits in whole units of the currency. */
const LIMITS: ReadonlyMap<string, number> = new Map([
  ['USD', 10_000],
  ['EUR', 10_000],
  ['GBP', 10_000],
  ['CHF', 15_000],
  ['CAD', 10_000],
  ['AUD', 10_000],
  ['NZD', 10_000],
  ['SGD', 20_000],
  ['HKD', 120_000],
  ['JPY', 1_000_000],
  ['CNY', 50_000],
  ['INR', 1_000_000],
  ['AED', 55_000],
  ['SAR', 60_000],
  ['EGP', 500_000],
  ['MAD', 100_000],
  ['TRY', 185_000],
  ['NGN', 5_000_000],
  ['PKR', 2_000_000],
  ['PHP', 500_000],
  ['MXN', 150_000],
  ['COP', 10_000_000],
  ['BRL', 50_000],
  ['ZAR', 25_000],
  ['KES', 1_000_000],
  ['PLN', 45_000],
  ['SEK', 100_000],
  ['NOK', 100_000],
  ['DKK', 75_000],
]);

/** Limits in minor units, as amounts are compared. */
const LIMITS_MINOR: ReadonlyMap<string, number> = new Map(
  [...LIMITS].map(([currency, limit]) => [currency, limit * 10 ** (currencyScale(currency) ?? 2)]),
);

/** The reporting limit of a currency in its minor units; NaN where none is known. */
export function reportingLimitMinor(currency: string): number {
  return LIMITS_MINOR.get(currency) ?? Number.NaN;
}
