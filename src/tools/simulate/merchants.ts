/**
 * Merchants: popularity falls with the index (a few large, many small), the country comes from the
 * index, and each has its own level of prices.
 */
import { normal, type Trait } from '../../kit/random.ts';
import { type CountryCode, MERCHANT_COUNTRIES } from './geography.ts';

const PRICE_FIRST = 1000;
const PRICE_SECOND = 1001;

export type Merchants = {
  readonly count: number;
  id(index: number): string;
  /** Factor on an account's usual amount: 1 in the middle, about 0.4 to 2.5 for most. */
  priceLevel(index: number): number;
  /** The merchant of a country that the number in [0, 1) points at; popular ones more often. */
  inCountry(country: CountryCode, at: number): number;
};

export function createMerchants(count: number, trait: Trait): Merchants {
  const slots = new Map<CountryCode, number[]>();
  for (const [slot, country] of MERCHANT_COUNTRIES.entries()) {
    if (slot < count) slots.set(country, [...(slots.get(country) ?? []), slot]);
  }
  const blocks = Math.ceil(count / MERCHANT_COUNTRIES.length);
  return {
    count,
    id: (index) => `merchant_${index}`,
    priceLevel: (index) =>
      Math.exp(0.45 * normal(trait(index, PRICE_FIRST), trait(index, PRICE_SECOND))),
    inCountry(country, at) {
      const own = slots.get(country) ?? [0];
      const position = Math.floor(at * (0.1 + 0.9 * at) * blocks * own.length);
      const slot = own[position % own.length] ?? 0;
      const index = Math.floor(position / own.length) * MERCHANT_COUNTRIES.length + slot;
      return index < count ? index : slot;
    },
  };
}
