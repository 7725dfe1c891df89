/** float32 numbers as the shortest text that reads back as the same float32. */

/** Digits that are always enough for a float32. */
const DIGITS_MAX = 9;
/** Fewer digits are seldom enough: the search starts here and goes up. */
const DIGITS_MIN = 6;

/**
 * With an exponent (`5E-1`), as XGBoost writes its own and needs them: a JSON number without point and
 * exponent is an integer to it, and refused where a float belongs.
 */
export function float32Text(value: number): string {
  const single = Math.fround(value);
  for (let digits = DIGITS_MIN; digits < DIGITS_MAX; digits++) {
    const text = single.toExponential(digits - 1);
    if (Math.fround(Number(text)) === single) return shorten(text);
  }
  return shorten(single.toExponential(DIGITS_MAX - 1));
}

/** `1.500000e+0` to `1.5E0`. */
function shorten(text: string): string {
  const [digits = '0', exponent = '0'] = text.split('e');
  const trimmed = digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
  return `${trimmed}E${Number(exponent)}`;
}
