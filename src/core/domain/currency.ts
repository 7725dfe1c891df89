/** Currencies of payments: which codes exist, how many decimal places each has, and until when it was paid. */
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
