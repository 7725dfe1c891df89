/**
 * ISO 4217: which codes exist and how many decimal places each has. The table is the package
 * `currency-codes` (generated from the standard's published list); codes without a minor unit
 * (gold, testing, no currency) are not money that can be transacted and are left out.
 */
import { data } from 'currency-codes';
import { z } from 'zod';
import { codeError } from '../../kit/words/code-error.ts';

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

const isCurrency = (code: string) => SCALE.has(code);

export const currencyCode = z
  .string()
  .refine(isCurrency, codeError(isCurrency, 'must be an ISO 4217 currency code, as USD'));

/**
 * Amount in minor units of its own currency, for features only: exact below 2^53 minor units,
 * the nearest double above.
 */
export function toMinorUnits(amount: string, currency: string): number {
  const [whole = '', decimals = ''] = amount.split('.');
  return Number(whole + decimals.padEnd(SCALE.get(currency) ?? 2, '0'));
}
