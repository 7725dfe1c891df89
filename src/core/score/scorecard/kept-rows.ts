/**
 * The rows of a day that a scorecard learns from beside frauds: the payments that looked worst, and a sample of the others. The
 * choice depends on ids and margins alone, so that a rebuilt day has the same rows.
 */
import { uuidsIn } from '../../../kit/words/cursor.ts';

/** A payment of a day. */
type Row = {
  /** Canonical UUID. */
  readonly id: string;
  /** Log-odds by the table that judged the payment. */
  readonly margin: number;
};

export type KeptRows = {
  readonly hard: readonly string[];
  readonly sample: readonly string[];
  /** Share of the payments that are not hard which was sampled; 1 where all were. */
  readonly share: number;
  /** Payments with the least hashes, in their order, ID_BYTES each: cuts are made of these. */
  readonly least: Buffer;
};

/** More: quiet days gain nothing, as sampled rows are most of theirs. Fewer: a busy day has hardly a payment that was nearly a fraud. */
const HARD_MAX = 400;
const HARD_SHARE = 0.02;
const SAMPLE = 200;
/** Payments from which the cuts of a night are made. */
export const CUT_PAYMENTS = 20_000;
export const ID_BYTES = 16;
const WORD_BYTES = 4;

/** MurmurHash3 (x86, 32 bits, seed 0) of the 16 bytes of an id. */
export function hashOf(bytes: Buffer, at: number): number {
  let hash = 0;
  for (let word = 0; word < ID_BYTES; word += WORD_BYTES) {
    const mixed = Math.imul(bytes.readInt32LE(at + word), 0xcc9e2d51);
    hash ^= Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593);
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash ^= ID_BYTES;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Collects the ids with the least hashes, in memory for twice as many ids as are kept. Among equal hashes the least id comes first. */
export function leastHashes(count: number) {
  const hashes = new Uint32Array(2 * count);
  const ids = Buffer.alloc(2 * count * ID_BYTES);
  const idAt = (nth: number) => ids.subarray(nth * ID_BYTES, (nth + 1) * ID_BYTES);
  const compare = (left: number, right: number) =>
    (hashes[left] as number) - (hashes[right] as number) || idAt(left).compare(idAt(right));
  let found = 0;
  let greatest = Number.POSITIVE_INFINITY;
  const cut = () => {
    const first = Uint32Array.from({ length: found }, (_, nth) => nth)
      .sort(compare)
      .subarray(0, count);
    const sorted = Buffer.concat(Array.from(first, idAt));
    hashes.set(first.map((nth) => hashes[nth] as number));
    ids.set(sorted);
    found = first.length;
    if (found === count) greatest = hashes[count - 1] as number;
    return sorted;
  };
  const own = Buffer.alloc(ID_BYTES);
  /** @param bytes of ids, ID_BYTES each */
  const addAll = (bytes: Buffer) => {
    for (let at = 0; at < bytes.length; at += ID_BYTES) {
      const hash = hashOf(bytes, at);
      if (hash > greatest) continue;
      bytes.copy(ids, found * ID_BYTES, at, at + ID_BYTES);
      hashes[found++] = hash;
      if (found === 2 * count) cut();
    }
  };
  return {
    addAll,
    add(id: string): void {
      own.write(id.replaceAll('-', ''), 'hex');
      addAll(own);
    },
    /** The ids in the order of their hashes, ID_BYTES each. */
    end: (): Buffer => cut(),
  };
}

const compareMargins = (left: Row, right: Row) => right.margin - left.margin;

/** Collects the payments that look worst, in memory for twice as many payments as are kept. */
function worstOf(count: number) {
  const found: Row[] = [];
  let bound = Number.NEGATIVE_INFINITY;
  const cut = () => {
    found.sort(compareMargins).splice(count);
    if (found.length === count) bound = found.at(-1)?.margin ?? bound;
    return found;
  };
  return {
    add(id: string, margin: number): void {
      if (margin < bound) return;
      found.push({ id, margin });
      if (found.length === 2 * count) cut();
    },
    end: (): readonly Row[] => cut(),
  };
}

/** Takes the payments of a day in any order. Labels play no part, so rows of a day stay the same as its frauds become known. */
export function collectRows() {
  const worst = worstOf(HARD_MAX + 1);
  const least = leastHashes(CUT_PAYMENTS);
  let payments = 0;
  return {
    add(id: string, margin: number): void {
      worst.add(id, margin);
      least.add(id);
      payments++;
    },
    /** A payment with the margin of the first rank that is not hard is not hard, either, so many equal margins give few hard rows. */
    end(): KeptRows {
      const sorted = worst.end();
      const rank = Math.floor(Math.min(HARD_MAX, HARD_SHARE * payments));
      const bound = sorted[rank]?.margin ?? Number.POSITIVE_INFINITY;
      const hard = sorted.filter(({ margin }) => margin > bound).map(({ id }) => id);
      const isHard = new Set(hard);
      const ids = least.end();
      const first = uuidsIn(ids.subarray(0, (HARD_MAX + SAMPLE) * ID_BYTES));
      const sample = first.filter((id) => !isHard.has(id)).slice(0, SAMPLE);
      const others = payments - hard.length;
      return { hard, sample, share: others === 0 ? 1 : sample.length / others, least: ids };
    },
  };
}
