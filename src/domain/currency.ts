/**
 * ISO 4217: which codes exist and how many decimal places each has. The table is the package
 * `currency-codes` (generated from the standard's published list); codes without a minor unit
 * (gold, testing, no currency) are not money that can be transacted and are left out.
 */
import { data } from 'currency-codes';

const NOT_MONEY = new Set([
  // ISO 4217's code of no currency.
  'XXX',
  'XTS',
  'XAU',
  'XAG',
  'XPT',
  'XPD',
  'XDR',
  'XSU',
  'XUA',
  'XBA',
  'XBB',
  'XBC',
  'XBD',
]);
const SCALE = new Map(
  data.filter((row) => !NOT_MONEY.has(row.code)).map((row) => [row.code, row.digits]),
);

/** Decimal places of a currency; undefined when the code is unknown. */
export function currencyScale(code: string): number | undefined {
  return SCALE.get(code);
}

/**
 * Amount in minor units of its own currency, for features only: exact below 2^53 minor units,
 * the nearest double above.
 */
export function toMinorUnits(amount: string, currency: string): number {
  const scale = SCALE.get(currency) ?? 2;
  const point = amount.indexOf('.');
  if (point < 0) return Number(amount + '0'.repeat(scale));
  const fraction = amount.slice(point + 1);
  return Number(
    amount.slice(0, point) + fraction + '0'.repeat(Math.max(0, scale - fraction.length)),
  );
}
