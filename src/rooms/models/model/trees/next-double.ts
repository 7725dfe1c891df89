/** The smallest double above a number: "not above t" is "below the next of t". */

const double = new Float64Array(1);
const bits = new BigInt64Array(double.buffer);

export function nextDouble(value: number): number {
  // -0 and 0 compare equal, so both have the smallest positive double as next.
  double[0] = value === 0 ? 0 : value;
  const before = bits[0] ?? 0n;
  bits[0] = before >= 0n ? before + 1n : before - 1n;
  return double[0] ?? 0;
}
