/** Decimal texts, as amounts of money are: compared exactly, without a floating point number in between. */
import { z } from 'zod';

/** Negative where `one` is less than `other`. Both are plain decimals without a sign: `1000`, `0.50`. */
export function compareDecimals(first: string, second: string): number {
  const [left, right] = [partsOf(first), partsOf(second)];
  const decimals = Math.max(left.fraction.length, right.fraction.length);
  const difference = unitsOf(left, decimals) - unitsOf(right, decimals);
  if (difference === 0n) return 0;
  return difference < 0n ? -1 : 1;
}

/** `one` less `other`, which is not greater. Both are plain decimals without a sign. */
export function subtractDecimals(first: string, second: string): string {
  const [left, right] = [partsOf(first), partsOf(second)];
  const decimals = Math.max(left.fraction.length, right.fraction.length);
  const digits = String(unitsOf(left, decimals) - unitsOf(right, decimals)).padStart(
    decimals + 1,
    '0',
  );
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

type Parts = { readonly whole: string; readonly fraction: string };

function partsOf(text: string): Parts {
  const [whole = '0', fraction = ''] = text.split('.');
  return { whole, fraction };
}

function unitsOf({ whole, fraction }: Parts, decimals: number): bigint {
  return BigInt(whole + fraction.padEnd(decimals, '0'));
}

/** An amount that people set, in the currency of their market. */
export const marketAmount = z
  .string()
  .regex(
    /^(0|[1-9]\d{0,11})(\.\d{1,2})?$/,
    'must be a decimal string of at most two decimal places, as "1000"',
  )
  .meta({ example: '1000' });
