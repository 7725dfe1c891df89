/**
 * The rows of a day that a scorecard learns from: its frauds, the payments that looked worst, and a sample of the others. The
 * choice depends on ids and margins alone, so that a rebuilt day has the same rows.
 */

/** Payments of a day, side by side. */
export type DayRows = {
  readonly ids: Ids;
  /** Log-odds by the table that judged each payment. */
  readonly margins: Float64Array;
  /** 1 for a known fraud. */
  readonly isFraud: Uint8Array;
};

/** Ids as four words each, as `writeId` gives them, and their hashes. */
export type Ids = { readonly words: Uint32Array; readonly hashes: Uint32Array };

export type KeptRows = {
  /** Rising, as are the other two. */
  readonly frauds: readonly number[];
  readonly hard: readonly number[];
  readonly sample: readonly number[];
  /** Sampled, of those that are neither fraud nor hard; 1 where all are. */
  readonly share: number;
};

/** More: rows of quiet days are mostly sample already. Fewer: a busy day has hardly a payment that nearly was one. */
const HARD_MAX = 400;
const HARD_SHARE = 0.02;
const SAMPLE = 200;
const ID_WORDS = 4;

export function createIds(count: number): Ids {
  return { words: new Uint32Array(count * ID_WORDS), hashes: new Uint32Array(count) };
}

/** @param id canonical UUID */
export function writeId({ words, hashes }: Ids, index: number, id: string): void {
  const digits = id.replaceAll('-', '');
  for (let word = 0; word < ID_WORDS; word++) {
    words[index * ID_WORDS + word] = Number.parseInt(digits.slice(8 * word, 8 * word + 8), 16);
  }
  hashes[index] = hashOf(words, index * ID_WORDS);
}

/** MurmurHash3 (x86, 32 bits, seed 0) of the id's 16 bytes. */
function hashOf(words: Uint32Array, at: number): number {
  let hash = 0;
  for (let word = 0; word < ID_WORDS; word++) {
    const mixed = Math.imul(reversed(words[at + word] as number), 0xcc9e2d51);
    hash ^= Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash ^= ID_WORDS * 4;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The hash reads words whose first byte is the least. */
function reversed(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}

export function chooseRows({ ids, margins, isFraud }: DayRows): KeptRows {
  const bound = hardAbove(margins);
  const frauds: number[] = [];
  const hard: number[] = [];
  const others: number[] = [];
  for (let row = 0; row < margins.length; row++) {
    if (isFraud[row] === 1) frauds.push(row);
    else if ((margins[row] as number) > bound) hard.push(row);
    else others.push(row);
  }
  const sample = leastHashes(ids, others, SAMPLE);
  return { frauds, hard, sample, share: others.length === 0 ? 1 : sample.length / others.length };
}

/** The margin of the first rank that is not hard. A tie with it stays out, so many equal margins give few hard rows, not many. */
function hardAbove(margins: Float64Array): number {
  const rank = Math.floor(Math.min(HARD_MAX, HARD_SHARE * margins.length));
  const sorted = margins.slice().sort();
  return sorted[sorted.length - 1 - rank] ?? Number.POSITIVE_INFINITY;
}

/** The rows with the least hashes, of equal ones with the least ids; in the order of the rows. */
export function leastHashes(
  { words, hashes }: Ids,
  rows: readonly number[],
  count: number,
): number[] {
  if (rows.length <= count) return [...rows];
  const sorted = Uint32Array.from(rows, (row) => hashes[row] as number).sort();
  const last = sorted[count - 1] ?? -1;
  const below = rows.filter((row) => (hashes[row] as number) < last);
  const ties = rows.filter((row) => hashes[row] === last);
  ties.sort((left, right) => compareIds(words, left, right));
  const least = [...below, ...ties.slice(0, count - below.length)];
  return least.sort((left, right) => left - right);
}

function compareIds(words: Uint32Array, left: number, right: number): number {
  for (let word = 0; word < ID_WORDS; word++) {
    const difference =
      (words[left * ID_WORDS + word] as number) - (words[right * ID_WORDS + word] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}
