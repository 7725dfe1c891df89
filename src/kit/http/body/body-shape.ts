/**
 * Looks at the shape of a JSON text before it is parsed: a few megabytes of nothing but brackets or members
 * cost a parser seconds and hundreds of megabytes, even where they are refused afterwards.
 */

/** Nesting levels of a body. */
export const BODY_DEPTH_MAX = 32;

export type BodyShape = {
  /** Levels of the deepest object or array. */
  readonly depth: number;
  /** Objects, arrays and members of objects. */
  readonly parts: number;
  /** Items of the longest list or object, in the levels that a body may have. */
  readonly width: number;
};

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;

/** Invalid JSON gets some shape, too: the parser refuses it afterwards. */
export function shapeOf(json: Uint8Array): BodyShape {
  const { length } = json;
  let level = 0;
  let depth = 0;
  let parts = 0;
  let commas = 0;
  const commasAt = new Uint32Array(BODY_DEPTH_MAX + 1);
  for (let at = 0; at < length; at++) {
    const byte = json[at];
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
      if (level > depth) depth = level;
    } else if (byte === 0x5d || byte === 0x7d) {
      level--;
    }
  }
  return { depth, parts, width: commas + 1 };
}

/** Index of the end of the string whose first character is at `from`. */
export function endOfString(json: Uint8Array, from: number): number {
  let at = from;
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at;
}
