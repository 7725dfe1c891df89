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
  const scale = SCALE.get(currency) ?? 2;
  const minor = readDigits(amount, scale);
  return minor < Number.MAX_SAFE_INTEGER ? minor : parseDigits(amount, scale);
}

/** The same for the UTF-8 bytes of a decimal amount. */
export function minorUnitsOf(bytes: Buffer, from: number, to: number, currency: string): number {
  const scale = SCALE.get(currency) ?? 2;
  let value = 0;
  let point = to - 1;
  for (let at = from; at < to; at++) {
    const byte = bytes[at] as number;
    if (byte === POINT) point = at;
    else value = value * 10 + byte - ZERO;
  }
  const minor = scaleUp(value, scale - (to - 1 - point));
  if (minor < Number.MAX_SAFE_INTEGER) return minor;
  return parseDigits(bytes.toString('latin1', from, to), scale);
}

/**
 * Adds digit by digit, without a string in between: exact while it stays below 2^53; NaN for bytes that are no
 * decimal.
 */
function readDigits(amount: string, scale: number): number {
  let value = 0;
  let decimals = -1;
  for (let index = 0; index < amount.length; index++) {
    const code = amount.charCodeAt(index);
    if (code === POINT && decimals < 0) decimals = 0;
    else if (code >= ZERO && code < ZERO + 10) {
      value = value * 10 + code - ZERO;
      if (decimals >= 0) decimals++;
    } else return Number.NaN;
  }
  return scaleUp(value, scale - Math.max(0, decimals));
}

function scaleUp(digits: number, missing: number): number {
  let value = digits;
  for (let left = missing; left > 0; left--) value *= 10;
  return value;
}

const POINT = 46;
const ZERO = 48;

function parseDigits(amount: string, scale: number): number {
  const point = amount.indexOf('.');
  if (point < 0) return Number(amount + '0'.repeat(scale));
  const fraction = amount.slice(point + 1);
  return Number(
    amount.slice(0, point) + fraction + '0'.repeat(Math.max(0, scale - fraction.length)),
  );
}
