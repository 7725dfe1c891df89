/**
 * Debts of parties: a bounded hash table in a typed array, as a Map of strings would cost ten times as much. A party that owes
 * nothing is not in the table. Of more than half a million parties that owe at once, those that owe least may be forgotten.
 */

/** Parties of a bucket, all of which a look-up reads: more make it slower, and fewer fill up in a table that is half empty. */
const WAYS = 8;
/** Cells of a bucket: when each party will have earned what it took, at its rate, and then the digest of each. */
const BUCKET = 2 * WAYS;
const BUCKETS_MIN = 2 ** 9;
/** 33 MB. More cost memory in each API process; with fewer, debts are forgotten earlier. */
const BUCKETS_MAX = 2 ** 18;
/** Units by which sums of fractions may be off: a unit passes when less than this is missing. */
const ROUNDING = 0.01;

/** How units of a limit are earned. */
export type Pace = { readonly gapMs: number; readonly burstMs: number };

export type PartyDebts = ReturnType<typeof createPartyDebts>;

const tableOf = (buckets: number) => {
  const ends = new Float64Array(BUCKET * buckets);
  return { buckets, ends, words: new Int32Array(ends.buffer) };
};

/** A party is the two halves of its digest, and times are milliseconds of one clock that does not go back. */
export function createPartyDebts(bucketsMax = BUCKETS_MAX) {
  let table = tableOf(BUCKETS_MIN);

  /** The cell of a party. A party that owes nothing takes the cell of the party in its bucket that owes least. */
  const cellOf = (low: number, high: number, nowMs: number): number => {
    const { buckets, ends, words } = table;
    const first = (low & (buckets - 1)) * BUCKET;
    let least = first;
    for (let cell = first; cell < first + WAYS; cell++) {
      const end = ends[cell] ?? 0;
      const word = 2 * (cell + WAYS);
      if (end > nowMs && words[word] === low && words[word + 1] === high) return cell;
      if (end < (ends[least] ?? 0)) least = cell;
    }
    if ((ends[least] ?? 0) > nowMs && buckets < bucketsMax) {
      grow(nowMs);
      return cellOf(low, high, nowMs);
    }
    ends[least] = nowMs;
    words[2 * (least + WAYS)] = low;
    words[2 * (least + WAYS) + 1] = high;
    return least;
  };
  const add = (low: number, high: number, end: number, nowMs: number) => {
    const cell = cellOf(low, high, nowMs);
    table.ends[cell] = end;
  };
  const grow = (nowMs: number) => {
    const old = table;
    table = tableOf(2 * old.buckets);
    eachOwing(old, nowMs, add);
  };
  return {
    /** Takes one unit. @returns 0, or the units that are missing where nothing is taken */
    take(low: number, high: number, { gapMs, burstMs }: Pace, nowMs: number): number {
      const cell = cellOf(low, high, nowMs);
      const end = (table.ends[cell] ?? 0) + gapMs;
      const missing = (end - nowMs - burstMs) / gapMs;
      if (missing > ROUNDING) return missing;
      table.ends[cell] = end;
      return 0;
    },
    /** Undoes a `take` of the same time. */
    giveBack(low: number, high: number, { gapMs }: Pace, nowMs: number): void {
      const cell = cellOf(low, high, nowMs);
      table.ends[cell] = (table.ends[cell] ?? 0) - gapMs;
    },
    /** Cells of the table, with those that are free. */
    cells: () => table.ends.length,
    /** All parties that owe: for each its digest and the end of its debt. */
    pack(nowMs: number): Buffer {
      let owing = 0;
      eachOwing(table, nowMs, () => {
        owing += 1;
      });
      const numbers = new Float64Array(2 * owing);
      const words = new Int32Array(numbers.buffer);
      let at = 0;
      eachOwing(table, nowMs, (low, high, end) => {
        words[2 * at] = low;
        words[2 * at + 1] = high;
        numbers[at + 1] = end;
        at += 2;
      });
      return Buffer.from(numbers.buffer);
    },
    /** Replaces all by what `pack` returned. */
    replace(packed: Uint8Array): void {
      const { buffer } = new Uint8Array(packed);
      const numbers = new Float64Array(buffer);
      const words = new Int32Array(buffer);
      table = tableOf(BUCKETS_MIN);
      for (let at = 0; at < numbers.length; at += 2) {
        add(words[2 * at] ?? 0, words[2 * at + 1] ?? 0, numbers[at + 1] ?? 0, 0);
      }
    },
  };
}

type OnOwing = (low: number, high: number, end: number, nowMs: number) => void;

function eachOwing(
  { buckets, ends, words }: ReturnType<typeof tableOf>,
  nowMs: number,
  onOwing: OnOwing,
): void {
  for (let first = 0; first < buckets * BUCKET; first += BUCKET) {
    for (let cell = first; cell < first + WAYS; cell++) {
      const end = ends[cell] ?? 0;
      const word = 2 * (cell + WAYS);
      if (end > nowMs) onOwing(words[word] ?? 0, words[word + 1] ?? 0, end, nowMs);
    }
  }
}
