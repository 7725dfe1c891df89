/**
 * How words of a transaction become numbers in a packed profile: upper-case codes exactly, identifiers
 * as 32-bit hashes (two of at most 256 siblings collide once in 10^5 full accounts).
 */

/** Packs upper-case letters, 5 bits each, other characters skipped: at most 6 letters. Null is 0. */
export function packLetters(code: string | null): number {
  if (code === null) return 0;
  let packed = 0;
  for (let index = 0; index < code.length; index++) {
    const letter = code.charCodeAt(index) - 64;
    if (letter > 0 && letter < 27) packed = (packed << 5) | letter;
  }
  return packed;
}

/** 32-bit hash of an identifier by UTF-16 unit (murmur3's mixing); never 0, which stands for absent. */
export function hashText(text: string | null): number {
  if (text === null) return 0;
  let hash = text.length;
  for (let index = 0; index < text.length; index++) hash = mix(hash, text.charCodeAt(index));
  return finish(hash);
}

function mix(hash: number, unit: number): number {
  const word = Math.imul(unit, 0xcc9e2d51);
  const mixed = hash ^ Math.imul((word << 15) | (word >>> 17), 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(mixed: number): number {
  let hash = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0 || 1;
}

/** Value of hexadecimal digits of a UUID, from `start` (inclusive) to `end`; hyphens are skipped. */
export function hexDigits(uuid: string, start: number, end: number): number {
  let value = 0;
  for (let index = start; index < end; index++) {
    const code = uuid.charCodeAt(index);
    if (code !== 45) value = (value << 4) | (code > 57 ? (code & 0xf) + 9 : code & 0xf);
  }
  return value >>> 0;
}
