/**
 * Where simulated money moves: the corridors that every market is seeded with (sql/0001), the countries they
 * join, and typical amounts in each currency.
 */
import { currencyScale } from '../../core/domain/currency.ts';

type Country = { readonly currency: string; readonly utcOffsetHours: number };

export const COUNTRIES = {
  AE: { currency: 'AED', utcOffsetHours: 4 },
  CO: { currency: 'COP', utcOffsetHours: -5 },
  DE: { currency: 'EUR', utcOffsetHours: 1 },
  EG: { currency: 'EGP', utcOffsetHours: 2 },
  ES: { currency: 'EUR', utcOffsetHours: 1 },
  FR: { currency: 'EUR', utcOffsetHours: 1 },
  GB: { currency: 'GBP', utcOffsetHours: 0 },
  IN: { currency: 'INR', utcOffsetHours: 5 },
  MA: { currency: 'MAD', utcOffsetHours: 1 },
  MX: { currency: 'MXN', utcOffsetHours: -6 },
  NG: { currency: 'NGN', utcOffsetHours: 1 },
  PH: { currency: 'PHP', utcOffsetHours: 8 },
  PK: { currency: 'PKR', utcOffsetHours: 5 },
  SA: { currency: 'SAR', utcOffsetHours: 3 },
  TR: { currency: 'TRY', utcOffsetHours: 3 },
  US: { currency: 'USD', utcOffsetHours: -5 },
} as const satisfies Record<string, Country>;
export type CountryCode = keyof typeof COUNTRIES;

export type Corridor = {
  readonly name: string;
  readonly source: CountryCode;
  readonly destination: CountryCode;
};

const corridor = (source: CountryCode, destination: CountryCode): Corridor => ({
  name: `${source}-${destination}`,
  source,
  destination,
});

/** The twelve seeded corridors; one listed twice has twice the accounts. */
export const CORRIDORS: readonly [Corridor, ...Corridor[]] = [
  corridor('US', 'US'),
  corridor('US', 'US'),
  corridor('US', 'EG'),
  corridor('US', 'MX'),
  corridor('US', 'MX'),
  corridor('US', 'PH'),
  corridor('US', 'IN'),
  corridor('GB', 'NG'),
  corridor('GB', 'PK'),
  corridor('AE', 'IN'),
  corridor('SA', 'EG'),
  corridor('DE', 'TR'),
  corridor('FR', 'MA'),
  corridor('ES', 'CO'),
];

/** Countries of merchants: index modulo the length, so that each country has its share of them. */
export const MERCHANT_COUNTRIES: readonly CountryCode[] = [
  ...(['US', 'EG', 'MX', 'IN', 'US', 'PH', 'NG', 'PK'] as const),
  ...(['TR', 'MA', 'CO', 'EG', 'US', 'MX', 'IN', 'US'] as const),
];

/** Accounts that hold another currency than their country's: scales 0, 2 and 3 are all exercised. */
export const FOREIGN_CURRENCIES = ['JPY', 'EGP', 'KWD', 'INR'] as const;

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
  USD: 1,
};

export const RATED_CURRENCIES = Object.keys(UNITS_PER_DOLLAR).filter((code) => code !== 'USD');

export function unitsPerDollar(currency: string): number {
  return UNITS_PER_DOLLAR[currency] ?? 1;
}

/** Decimal string of an amount, rounded to the currency's scale and never zero. */
export function money(units: number, currency: string): string {
  const scale = currencyScale(currency) ?? 2;
  const minor = String(Math.max(1, Math.round(units * 10 ** scale))).padStart(scale + 1, '0');
  return scale === 0 ? minor : `${minor.slice(0, -scale)}.${minor.slice(-scale)}`;
}
