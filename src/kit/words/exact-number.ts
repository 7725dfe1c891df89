/** Numbers as texts: a double has about 16 digits, and a number that a double would change must not pass as another one. */
import { shortText } from './describe-issue.ts';

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const SHOWN_CHARS_MAX = 40;

/** The number of a decimal text; undefined where the text is none, or where the shortest text of the double is another number. */
export function exactNumber(text: string): number | undefined {
  const value = Number(text);
  if (!Number.isFinite(value)) return undefined;
  const written = String(value);
  if (written === text) return value;
  return DECIMAL.test(text) && decimalOf(written) === decimalOf(text) ? value : undefined;
}

/** Digits without zeros at the edges, and the power of ten that belongs to them: equal for equal numbers, whatever their sign. */
function decimalOf(text: string): string {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace(/^[+-]/, '').split('.');
  const digits = whole + fraction;
  let from = 0;
  let to = digits.length;
  while (digits[from] === '0') from++;
  while (to > from && digits[to - 1] === '0') to--;
  if (from === to) return '0';
  return `${digits.slice(from, to)}e${Number(exponent) - fraction.length + digits.length - to}`;
}

/** A predicate of the member whose number no double is. */
export function inexact(text: string): string {
  const value = Number(text);
  const others = Number.isFinite(value) ? ', or that number' : '';
  return `must be a number that a double keeps, and ${shortText(text, SHOWN_CHARS_MAX)} would become ${value}: send a text${others}`;
}
