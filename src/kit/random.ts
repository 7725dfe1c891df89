/**
 * Seeded randomness of the simulator: one stream of numbers (sfc32) and fixed traits of things (a
 * hash of seed, index and trait). Everything is a function of the seed, so that the same seed and
 * options give the same bytes on every machine.
 */

/** Uniform in [0, 1). */
export type Random = () => number;

/** A lasting property of the thing with this index, uniform in [0, 1). */
export type Trait = (index: number, trait: number) => number;

const TWO_TO_32 = 4_294_967_296;

/** 32-bit finaliser of murmur3: every input bit reaches every output bit. */
export function mix(value: number): number {
  let hash = value;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** FNV-1a over the UTF-16 code units, finalised; `lane` gives independent values of one text. */
export function hashText(text: string, lane = 0): number {
  let hash = 0x811c9dc5 ^ mix(lane + 0x9e3779b9);
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return mix(hash);
}

/** sfc32, warmed up past the traces of its seed. */
export function createRandom(seed: string): Random {
  let a = hashText(seed, 1);
  let b = hashText(seed, 2);
  let c = hashText(seed, 3);
  let counter = 1;
  const next = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    return (sum >>> 0) / TWO_TO_32;
  };
  for (let round = 0; round < 12; round++) next();
  return next;
}

export function createTrait(seed: string): Trait {
  const base = hashText(seed, 4);
  return (index, trait) =>
    mix(mix(base ^ Math.imul(index + 1, 0x9e3779b1)) ^ Math.imul(trait + 1, 0x85ebca77)) /
    TWO_TO_32;
}

export function between(random: Random, min: number, max: number): number {
  return min + (max - min) * random();
}

/** Whole number, both ends included. */
export function integerBetween(random: Random, min: number, max: number): number {
  return min + Math.floor(random() * (max - min + 1));
}

export function pick<T>(random: Random, items: readonly [T, ...T[]]): T {
  return items[Math.floor(random() * items.length)] ?? items[0];
}

/** Standard normal from two uniforms (Box–Muller). */
export function normal(first: number, second: number): number {
  return Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second);
}

/** Log-normal with this median; `sigma` is the deviation of its logarithm. */
export function logNormal(random: Random, median: number, sigma: number): number {
  return median * Math.exp(sigma * normal(random(), random()));
}
