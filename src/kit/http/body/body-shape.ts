/**
 * Looks at the shape of a JSON text before it is parsed: a few megabytes of nothing but brackets or members
 * cost a parser seconds and hundreds of megabytes, even where they are refused afterwards.
 */

import type { Sliced } from '../../process/pauses.ts';
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
/** Bytes between two pauses. Larger: a slice of long numbers holds the thread for more than some 4 ms. */
export const SLICE_BYTES = 64 * 1024;

/** Invalid JSON gets some shape, too: the parser refuses it afterwards. */
export function* shapeOf(json: Uint8Array): Sliced<BodyShape> {
  const { length } = json;
  let level = 0;
  let depth = 0;
  let parts = 0;
  let commas = 0;
  const commasAt = new Uint32Array(BODY_DEPTH_MAX + 1);
  let lost = 0;
  let unsure: Span[] = [];
  let pauseAt = SLICE_BYTES;
  for (let at = 0; at < length; at++) {
    if (at >= pauseAt) {
      lost += countLost(json, unsure);
      unsure = [];
      yield;
      pauseAt = at + SLICE_BYTES;
    }
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
      at = takeNumber(json, at, unsure) - 1;
    }
  }
  lost += countLost(json, unsure);
  return { depth, parts, width: commas + 1, isExact: lost === 0 };
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

/** Whether the number between the two indexes has few digits, and no exponent. */
function isSure(json: Uint8Array, from: number, end: number): boolean {
  if (end - from > SURE_DIGITS) return false;
  let at = from;
  while (at < end && isNumberStart(json[at] ?? 0)) at++;
  return at === end;
}

const textOf = (json: Uint8Array, from: number, end: number) =>
  Buffer.from(json.buffer, json.byteOffset + from, end - from).toString('latin1');

/** The indexes of the first byte of a number and of the byte behind the number. */
type Span = { readonly from: number; readonly end: number };

/** @returns the index behind the number that begins at `from` */
function takeNumber(json: Uint8Array, from: number, unsure: Span[]): number {
  const end = endOfNumber(json, from);
  if (!isSure(json, from, end)) unsure.push({ from, end });
  return end;
}

/** Counts numbers that no double keeps. Numbers that are read and written together take half the time of numbers one by one. */
function countLost(json: Uint8Array, spans: readonly Span[]): number {
  const start = spans[0]?.from ?? 0;
  const all = textOf(json, start, spans.at(-1)?.end ?? 0);
  const texts = spans.map(({ from, end }) => all.slice(from - start, end - start));
  const isKept = JSON.stringify(texts.map(Number)) === `[${texts.join()}]`;
  return isKept ? 0 : texts.filter((text) => exactNumber(text) === undefined).length;
}

/** The number between the two indexes, where no double keeps it. */
export function lostNumber(json: Uint8Array, from: number, end: number): string | undefined {
  if (isSure(json, from, end)) return undefined;
  const text = textOf(json, from, end);
  return exactNumber(text) === undefined ? text : undefined;
}

/** Index of the end of the string whose first character is at `from`. */
export function endOfString(json: Uint8Array, from: number): number {
  let at = from;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}
