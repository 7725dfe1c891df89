/**
 * Looks at the shape of a JSON text before it is parsed: a few megabytes of nothing but brackets or members
 * cost a parser seconds and hundreds of megabytes, even where they are refused afterwards.
 */

import { exactNumber } from '../../words/exact-number.ts';

/** Nesting levels of a body. */
export const BODY_DEPTH_MAX = 32;

export type BodyShape = {
  /** Levels of the deepest object or array. */
  readonly depth: number;
  /** Objects, arrays and members of objects. */
  readonly parts: number;
  /** Items of the longest list or object, in the levels that a body may have. */
  readonly width: number;
  /** Whether a double keeps each number. */
  readonly isExact: boolean;
};

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const MINUS = 0x2d;
const NINE = 0x39;
/** Digits of a decimal that every double keeps. */
const SURE_DIGITS = 15;

/** Invalid JSON gets some shape, too: the parser refuses it afterwards. */
export function shapeOf(json: Uint8Array): BodyShape {
  const { length } = json;
  let level = 0;
  let depth = 0;
  let parts = 0;
  let commas = 0;
  const commasAt = new Uint32Array(BODY_DEPTH_MAX + 1);
  let isExact = true;
  for (let at = 0; at < length; at++) {
    const byte = json[at] ?? 0;
    if (byte === QUOTE) {
      at = endOfString(json, at + 1);
    } else if (byte === COLON) {
      parts++;
    } else if (byte === COMMA) {
      commasAt[level] = (commasAt[level] ?? 0) + 1;
      commas = Math.max(commas, commasAt[level] ?? 0);
    } else if (byte === 0x5b || byte === 0x7b) {
      parts++;
      level++;
      commasAt[level] = 0;
      depth = Math.max(depth, level);
    } else if (byte === 0x5d || byte === 0x7d) {
      level--;
    } else if (isNumberStart(byte)) {
      const end = endOfNumber(json, at);
      isExact &&= lostNumber(json, at, end) === undefined;
      at = end - 1;
    }
  }
  return { depth, parts, width: commas + 1, isExact };
}

/** Outside of texts, no other byte of JSON lies between the sign and the digits. */
export const isNumberStart = (byte: number) => byte >= MINUS && byte <= NINE;

/** Index behind the number that begins at `from`. */
export function endOfNumber(json: Uint8Array, from: number): number {
  let at = from + 1;
  while (isOfNumber(json[at] ?? 0)) at++;
  return at;
}

/** Digits, signs, a point and an exponent. */
const isOfNumber = (byte: number) =>
  isNumberStart(byte) || byte === 0x2b || byte === 0x45 || byte === 0x65;

/** The number between the two indexes, where no double keeps it. */
export function lostNumber(json: Uint8Array, from: number, end: number): string | undefined {
  let plain = from;
  while (plain < end && isNumberStart(json[plain] ?? 0)) plain++;
  if (plain === end && end - from <= SURE_DIGITS) return undefined;
  const text = Buffer.from(json.buffer, json.byteOffset + from, end - from).toString('latin1');
  return exactNumber(text) === undefined ? text : undefined;
}

/** Index of the end of the string whose first character is at `from`. */
export function endOfString(json: Uint8Array, from: number): number {
  let at = from;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}
