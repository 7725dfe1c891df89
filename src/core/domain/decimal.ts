/** Decimal texts, as amounts of money are: compared exactly, without a floating point number in between. */
import { z } from 'zod';

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
