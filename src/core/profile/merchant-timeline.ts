/**
 * A merchant's whole past by the hour, before a point and after it: with what the rows of its own hour sum up to, a transaction at
 * any moment has its features (merchant-features.ts), in whatever order the past arrives.
 */
import { readTally, TALLY_BYTES, type Tallies, type Tally, writeTally } from './tallies.ts';

export type Timeline = {
  /** Every row from here on is in the tallies. */
  readonly fromMs: number;
  /** Packed as Tallies, and room for more. */
  packed: DataView<ArrayBuffer>;
  length: number;
};

type HourTally = Omit<Tally, 'daily'>;

/** Tallies of a new timeline. A full one gets twice as many. */
const TALLIES_MIN = 32;

export function createTimeline(fromMs: number): Timeline {
  return { fromMs, packed: new DataView(new ArrayBuffer(TALLIES_MIN * TALLY_BYTES)), length: 0 };
}

/** The newest hour with a row, before a time; -Infinity without such a row. */
export function newestHourMs(timeline: Timeline, beforeMs = Number.POSITIVE_INFINITY): number {
  const { packed } = timeline;
  const end = indexOf(timeline, { bucketMs: beforeMs, currency: 0, count: 0, sum: 0 });
  for (let index = end - 1; index >= 0; index--) {
    const { count, bucketMs } = readTally(packed, index);
    if (count > 0) return bucketMs;
  }
  return Number.NEGATIVE_INFINITY;
}

/** Adds a count and a sum, or takes back what was added where both are negative. */
export function addHour(timeline: Timeline, tally: HourTally): void {
  const index = indexOf(timeline, tally);
  const known = index < timeline.length ? readTally(timeline.packed, index) : undefined;
  if (known !== undefined && compareTallies(known, tally) === 0) {
    const { count, sum } = known;
    const both = { ...known, count: count + tally.count, sum: sum + tally.sum };
    writeTally(timeline.packed, index, both);
    return;
  }
  makeRoom(timeline, index);
  writeTally(timeline.packed, index, { ...tally, daily: false });
}

/** The tallies of this moment, as a new object: prefix sums of tallies are kept by their object. */
export function talliesOf({ packed, length }: Timeline): Tallies {
  return { packed, length };
}

export function compareTallies(a: HourTally, b: HourTally): number {
  return a.bucketMs - b.bucketMs || a.currency - b.currency;
}

/** Where the tally of a bucket and currency is, or would be. */
function indexOf({ packed, length }: Timeline, tally: HourTally): number {
  let [start, end] = [0, length];
  while (start < end) {
    const middle = (start + end) >> 1;
    if (compareTallies(readTally(packed, middle), tally) < 0) start = middle + 1;
    else end = middle;
  }
  return start;
}

function makeRoom(timeline: Timeline, index: number): void {
  const { packed, length } = timeline;
  const [at, end] = [index * TALLY_BYTES, length * TALLY_BYTES];
  if (end === packed.byteLength) {
    const wider = new Uint8Array(2 * end);
    wider.set(new Uint8Array(packed.buffer));
    timeline.packed = new DataView(wider.buffer);
  }
  new Uint8Array(timeline.packed.buffer).copyWithin(at + TALLY_BYTES, at, end);
  timeline.length = length + 1;
}
