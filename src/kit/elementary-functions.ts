/**
 * Logarithm, exponential and logistic function with the same bits everywhere: those of Math may differ in the last bit between
 * engines, and a stored number may not. Each uses only operations that IEEE 754 rounds exactly.
 */

const LN2 = Math.LN2;
const SQRT2 = Math.SQRT2;
/** Terms of the series of atanh; |s| <= 0.1716, so the first omitted one is below 2^-60. */
const ATANH_TERMS = 11;
const ODD_RECIPROCALS = Float64Array.from(
  { length: ATANH_TERMS + 1 },
  (_, term) => 1 / (2 * term + 1),
);

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
  for (let term = ATANH_TERMS; term >= 0; term--) {
    series = series * square + (ODD_RECIPROCALS[term] ?? 0);
  }
  return exponent * LN2 + 2 * s * series;
}

/** The upper 32 bits of ln 2, so that their product with a whole number below 2^20 is exact. */
const LN2_HIGH = 0.6931471803691238;
/** ln 2 less its upper part. */
const LN2_LOW = 1.9082149292705877e-10;
/** Arguments below the first have a subnormal result, above the second an infinite one. */
const ARGUMENT_MIN = -708;
const ARGUMENT_MAX = 709;
/** Terms of Taylor's series; |r| <= ln 2 / 2, so the first omitted one is below 2^-60. */
const TAYLOR_TERMS = 14;
const RECIPROCAL_FACTORIALS = new Float64Array(TAYLOR_TERMS + 1);
RECIPROCAL_FACTORIALS[0] = 1;
for (let term = 1; term <= TAYLOR_TERMS; term++) {
  RECIPROCAL_FACTORIALS[term] = (RECIPROCAL_FACTORIALS[term - 1] ?? 0) / term;
}

/** e to the power of a number, within 2 units in the last place; 0 below -708, Infinity above 709. */
export function exponential(value: number): number {
  if (value < ARGUMENT_MIN) return 0;
  if (value > ARGUMENT_MAX) return Number.POSITIVE_INFINITY;
  const twos = Math.round(value / Math.LN2);
  const rest = value - twos * LN2_HIGH - twos * LN2_LOW;
  let series = RECIPROCAL_FACTORIALS[TAYLOR_TERMS] ?? 0;
  for (let term = TAYLOR_TERMS - 1; term >= 0; term--) {
    series = series * rest + (RECIPROCAL_FACTORIALS[term] ?? 0);
  }
  double[0] = 1;
  words[1] = (twos + 1023) << 20;
  return series * (double[0] ?? 1);
}

/** 1 / (1 + e^-margin), exact for large margins of either sign. */
export function logistic(margin: number): number {
  if (margin >= 0) return 1 / (1 + exponential(-margin));
  const odds = exponential(margin);
  return odds / (1 + odds);
}

/** ln(1 + e^margin): the log loss of a wrong label at that margin, in nats. */
export function softPlus(margin: number): number {
  return Math.max(margin, 0) + naturalLog(1 + exponential(-Math.abs(margin)));
}
