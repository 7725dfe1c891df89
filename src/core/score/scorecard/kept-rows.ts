/**
 * The rows of a day that a scorecard learns from beside frauds: the payments that looked worst, and a sample of the others. The
 * choice depends on ids and margins alone, so that a rebuilt day has the same rows.
 */

/** A payment of a day. */
type Row = {
  /** Canonical UUID. */
  readonly id: string;
  readonly hash: number;
  /** Log-odds by the table that judged the payment. */
  readonly margin: number;
};

export type KeptRows = {
  readonly hard: readonly string[];
  readonly sample: readonly string[];
  /** Sampled, of those that are not hard; 1 where all are. */
  readonly share: number;
  /** Payments with the least hashes, in their order: cuts are made of these. */
  readonly least: readonly string[];
};

/** More: rows of quiet days are mostly sample already. Fewer: a busy day has hardly a payment that nearly was one. */
const HARD_MAX = 400;
const HARD_SHARE = 0.02;
const SAMPLE = 200;
/** Payments of which the cuts of a night are made. */
export const CUT_PAYMENTS = 20_000;
const ID_WORDS = 4;

/** MurmurHash3 (x86, 32 bits, seed 0) of the 16 bytes of an id. */
export function hashOf(id: string): number {
  const digits = id.replaceAll('-', '');
  let hash = 0;
  for (let word = 0; word < ID_WORDS; word++) {
    const own = Number.parseInt(digits.slice(8 * word, 8 * word + 8), 16);
    const mixed = Math.imul(reversed(own), 0xcc9e2d51);
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

type Hashed = Pick<Row, 'id' | 'hash'>;

/** The least id comes first among equal hashes. */
export const compareHashes = (left: Hashed, right: Hashed): number =>
  left.hash - right.hash || (left.id < right.id ? -1 : 1);

const compareMargins = (left: Row, right: Row) => right.margin - left.margin;

/** Collects the first of many in an order, in memory for twice as many. */
export function firstOfMany<Value>(
  count: number,
  compare: (left: Value, right: Value) => number,
): { add(value: Value): void; list(): readonly Value[] } {
  const found: Value[] = [];
  let last: Value | undefined;
  const cut = () => {
    found.sort(compare);
    if (found.length >= count) {
      found.length = count;
      last = found.at(-1);
    }
  };
  return {
    add(value) {
      if (last !== undefined && compare(value, last) > 0) return;
      found.push(value);
      if (found.length === 2 * count) cut();
    },
    list() {
      cut();
      return found;
    },
  };
}

/** Takes the payments of a day in any order. Labels play no part, so rows of a day stay the same as its frauds become known. */
export function collectRows() {
  const worst = firstOfMany<Row>(HARD_MAX + 1, compareMargins);
  const least = firstOfMany<Row>(CUT_PAYMENTS, compareHashes);
  let payments = 0;
  return {
    add(id: string, margin: number): void {
      const row = { id, margin, hash: hashOf(id) };
      worst.add(row);
      least.add(row);
      payments++;
    },
    /** A margin that ties with the first rank that is not hard stays out, so many equal margins give few hard rows. */
    end(): KeptRows {
      const sorted = worst.list();
      const rank = Math.floor(Math.min(HARD_MAX, HARD_SHARE * payments));
      const bound = sorted[rank]?.margin ?? Number.POSITIVE_INFINITY;
      const hard = sorted.filter(({ margin }) => margin > bound).map(({ id }) => id);
      const isHard = new Set(hard);
      const ids = least.list().map(({ id }) => id);
      const sample = ids.filter((id) => !isHard.has(id)).slice(0, SAMPLE);
      const others = payments - hard.length;
      return { hard, sample, share: others === 0 ? 1 : sample.length / others, least: ids };
    },
  };
}
