/**
 * Exponential and logistic function with the same bits everywhere: Math.exp may differ in its last bit between
 * engines, and a stored probability may not. Uses only operations that IEEE 754 rounds exactly.
 */
import { naturalLog } from '../../../core/profile/arithmetic.ts';

/** The upper 32 bits of ln 2, so that their product with a whole number below 2^20 is exact. */
const LN2_HIGH = 0.6931471803691238;
/** ln 2 less its upper part. */
const LN2_LOW = 1.9082149292705877e-10;
/** Arguments below the first have a subnormal result, above the second an infinite one. */
const ARGUMENT_MIN = -708;
const ARGUMENT_MAX = 709;
/** Terms of Taylor's series; |r| <= ln 2 / 2, so the first omitted one is below 2^-60. */
const TERMS = 14;
const RECIPROCAL_FACTORIALS = new Float64Array(TERMS + 1);
RECIPROCAL_FACTORIALS[0] = 1;
for (let term = 1; term <= TERMS; term++) {
  RECIPROCAL_FACTORIALS[term] = (RECIPROCAL_FACTORIALS[term - 1] ?? 0) / term;
}

const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);

/** e to the power of a number, within 2 units in the last place; 0 below -708, Infinity above 709. */
export function exponential(value: number): number {
  if (value < ARGUMENT_MIN) return 0;
  if (value > ARGUMENT_MAX) return Number.POSITIVE_INFINITY;
  const twos = Math.round(value / Math.LN2);
  const rest = value - twos * LN2_HIGH - twos * LN2_LOW;
  let series = RECIPROCAL_FACTORIALS[TERMS] ?? 0;
  for (let term = TERMS - 1; term >= 0; term--) {
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
