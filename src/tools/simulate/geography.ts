/**
 * Where simulated money moves: the corridors that every market is seeded with (sql/0001), the countries they
 * join, and typical amounts in each currency.
 */
import { currencyScale } from '../../core/domain/currency.ts';

export const COUNTRIES = 'AE CO DE EG ES FR GB IN MA MX NG PH PK SA TR US'.split(' ');

/** Countries that money comes from; a destination that is listed twice has twice the accounts. */
const SOURCES = [
  { source: 'US', currency: 'USD', utcOffsetHours: -5, to: 'US US EG MX MX PH IN' },
  { source: 'GB', currency: 'GBP', utcOffsetHours: 0, to: 'NG PK' },
  { source: 'AE', currency: 'AED', utcOffsetHours: 4, to: 'IN' },
  { source: 'SA', currency: 'SAR', utcOffsetHours: 3, to: 'EG' },
  { source: 'DE', currency: 'EUR', utcOffsetHours: 1, to: 'TR' },
  { source: 'FR', currency: 'EUR', utcOffsetHours: 1, to: 'MA' },
  { source: 'ES', currency: 'EUR', utcOffsetHours: 1, to: 'CO' },
];

type Corridor = Omit<(typeof SOURCES)[number], 'to'> & {
  readonly name: string;
  readonly destination: string;
};

/** The twelve seeded corridors, US-US and US-MX twice. */
export const CORRIDORS = SOURCES.flatMap(({ to, ...from }) =>
  to
    .split(' ')
    .map((destination) => ({ ...from, name: `${from.source}-${destination}`, destination })),
) as [Corridor, ...Corridor[]];

/** Countries of merchants: index modulo the length, so that each country has its share of them. */
export const MERCHANT_COUNTRIES = 'US EG MX IN US PH NG PK TR MA CO EG US MX IN US'.split(' ');

/** Approximate value of one US dollar, so that amounts look like their currency's. */
const UNITS_PER_DOLLAR: Readonly<Record<string, number>> = {
  AED: 3.7,
  EGP: 48,
  EUR: 0.9,
  GBP: 0.8,
  INR: 85,
  JPY: 150,
  KWD: 0.3,
  SAR: 3.75,
};

export const RATED_CURRENCIES = Object.keys(UNITS_PER_DOLLAR);

export const unitsPerDollar = (currency: string) => UNITS_PER_DOLLAR[currency] ?? 1;

/** Decimal string of an amount, rounded to the currency's scale and never zero. */
export function money(units: number, currency: string): string {
  const scale = currencyScale(currency) ?? 2;
  const minor = String(Math.max(1, Math.round(units * 10 ** scale))).padStart(scale + 1, '0');
  return scale === 0 ? minor : `${minor.slice(0, -scale)}.${minor.slice(-scale)}`;
}
