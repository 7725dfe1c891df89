/**
 * A logarithm with the same bits everywhere: Math.log may differ in its last bit between engines, and a feature
 * may not. Uses only +, -, *, / of IEEE 754, which round exactly.
 */

const LN2 = Math.LN2;
const SQRT2 = Math.SQRT2;
/** Terms of the series of atanh; |s| <= 0.1716, so the first omitted one is below 2^-60. */
const TERMS = 11;
const ODD_RECIPROCALS = Float64Array.from({ length: TERMS + 1 }, (_, term) => 1 / (2 * term + 1));

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** Natural logarithm of a positive, normal number; within 2 units in the last place. */
export function naturalLog(value: number): number {
  double[0] = value;
  const high = words[1] ?? 0;
  let exponent = (high >>> 20) - 1023;
  words[1] = (high & 0xfffff) | (1023 << 20);
  let mantissa = double[0] ?? 1;
  if (mantissa > SQRT2) {
    mantissa /= 2;
    exponent++;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let series = 0;
  for (let term = TERMS; term >= 0; term--) {
    series = series * square + (ODD_RECIPROCALS[term] ?? 0);
  }
  return exponent * LN2 + 2 * s * series;
}
