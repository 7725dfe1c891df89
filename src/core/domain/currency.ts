/** Currencies: which codes exist, how many decimal places each has, until when it was paid; and amounts as decimal texts, compared exactly. */

import { z } from 'zod';
import { codeError } from '../../kit/words/code-error.ts';
import { CURRENCIES } from '../../kit/words/currencies.ts';

/** Decimal places of a currency; undefined when the code is unknown. */
export const currencyScale = (code: string): number | undefined => CURRENCIES.get(code)?.scale;

const isCurrency = (code: string) => CURRENCIES.has(code);

/** A code of ISO 4217, also a withdrawn one: questions and rates are about payments of the past, too. */
export const currencyCode = z
  .string()
  .refine(isCurrency, codeError(isCurrency, 'must be an ISO 4217 currency code, as USD'));

/** The fault of a currency at the time of a payment: the standard withdraws a currency in a month, to the end of which it is taken. */
export function currencyProblem(code: string | undefined, paidAtMs: number): string | undefined {
  const lastMonth = CURRENCIES.get(code ?? '')?.lastMonth;
  if (lastMonth === undefined) return undefined;
  const month = new Date(paidAtMs).toISOString().slice(0, lastMonth.length);
  if (month <= lastMonth) return undefined;
  return `must be in force at created_at, not ${code}, which ISO 4217 withdrew in ${lastMonth}`;
}

/**
 * Amount in minor units of its own currency, for features only: exact below 2^53 minor units,
 * the nearest double above.
 */
export function toMinorUnits(amount: string, currency: string): number {
  const [whole = '', decimals = ''] = amount.split('.');
  return Number(whole + decimals.padEnd(currencyScale(currency) ?? 2, '0'));
}

/** Negative where `first` is less than `second`. Both are plain decimals without a sign: `1000`, `0.50`. */
export function compareDecimals(first: string, second: string): number {
  const { units } = differenceOf(first, second);
  if (units === 0n) return 0;
  return units < 0n ? -1 : 1;
}

/** `first` less `second`, which is not greater. Both are plain decimals without a sign. */
export function subtractDecimals(first: string, second: string): string {
  const { units, decimals } = differenceOf(first, second);
  const digits = String(units).padStart(decimals + 1, '0');
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** In units of the last decimal place of either. */
function differenceOf(first: string, second: string) {
  const parts = [first, second].map((text) => text.split('.'));
  const decimals = Math.max(...parts.map(([, fraction = '']) => fraction.length));
  const [left = 0n, right = 0n] = parts.map(([whole = '0', fraction = '']) =>
    BigInt(whole + fraction.padEnd(decimals, '0')),
  );
  return { units: left - right, decimals };
}

/** An amount that people set, in the currency of their market. */
export const marketAmount = z
  .string()
  .regex(
    /^(0|[1-9]\d{0,11})(\.\d{1,2})?$/,
    'must be a decimal string of at most two decimal places, as "1000"',
  )
  .meta({ example: '1000' });
