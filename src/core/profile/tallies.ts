/**
 * Parts of a profile beside its list: the tallies of a merchant, and frauds that are known.
 *
 * Tallies are count and sum of transactions by bucket (an hour or a UTC day) and currency. They stay packed,
 * as objects for the hundreds of a busy merchant would take half of the time of a fold. Little-endian, in the order of buckets:
 *
 *   bucket (f64, epoch ms) | sum (f64, minor units) | count (u32) | currency (u16) | 1 for a UTC day (u16)
 */
import {
  FRAUD_RATE_SMOOTHING,
  FRAUDS_SEEN_MAX,
  type FraudSpan,
  type KnownFrauds,
  NO_FRAUDS,
} from '../domain/history.ts';

/** A bucket (an hour or a UTC day) and currency. */
export type Tally = {
  bucketMs: number;
  daily: boolean;
  readonly currency: number;
  count: number;
  sum: number;
};

/** Immutable. */
export type Tallies = {
  readonly packed: DataView<ArrayBuffer>;
  readonly length: number;
};

export const TALLY_BYTES = 24;
const [SUM_AT, COUNT_AT, CURRENCY_AT, DAILY_AT] = [8, 16, 20, 22];

/** @param list in the order of their buckets */
export function packTallies(list: readonly Tally[]): Tallies {
  const packed = new DataView(new ArrayBuffer(list.length * TALLY_BYTES));
  for (const [index, tally] of list.entries()) writeTally(packed, index, tally);
  return { packed, length: list.length };
}

export const NO_TALLIES = packTallies([]);

export function unpackTallies({ packed, length }: Tallies): Tally[] {
  return Array.from({ length }, (_, index) => readTally(packed, index));
}

export function readTally(packed: DataView, index: number): Tally {
  const at = index * TALLY_BYTES;
  return {
    bucketMs: packed.getFloat64(at, true),
    sum: packed.getFloat64(at + SUM_AT, true),
    count: packed.getUint32(at + COUNT_AT, true),
    currency: packed.getUint16(at + CURRENCY_AT, true),
    daily: packed.getUint16(at + DAILY_AT, true) === 1,
  };
}

function writeTally(
  packed: DataView,
  index: number,
  { bucketMs, sum, count, currency, daily }: Tally,
): void {
  const at = index * TALLY_BYTES;
  packed.setFloat64(at, bucketMs, true);
  packed.setFloat64(at + SUM_AT, sum, true);
  packed.setUint32(at + COUNT_AT, count, true);
  packed.setUint16(at + CURRENCY_AT, currency, true);
  packed.setUint16(at + DAILY_AT, daily ? 1 : 0, true);
}

/** Tallies whose counts are in `older`: a fold asks for eleven windows of the same ones. */
let counted = NO_TALLIES;
/** Transactions tallied before each tally of `counted`; behind the last tally, the total. */
let older = new Float64Array(1024);

/** Transactions tallied in buckets that begin before a time. */
export function countTallied(tallies: Tallies, ms: number): number {
  // Most merchants have no tallies.
  if (tallies.length === 0) return 0;
  if (counted !== tallies) count(tallies);
  return older[firstTally(tallies, ms)] ?? 0;
}

function count(tallies: Tallies): void {
  const { packed, length } = tallies;
  if (older.length <= length) older = new Float64Array(2 * length);
  let total = 0;
  for (let index = 0; index < length; index++) {
    total += packed.getUint32(index * TALLY_BYTES + COUNT_AT, true);
    older[index + 1] = total;
  }
  counted = tallies;
}

/** Behind all tallies. */
export const AT_THE_END = Number.POSITIVE_INFINITY;

/** Sum of a currency, in the buckets that begin in [fromMs, untilMs). */
export function sumTallied(
  tallies: Tallies,
  fromMs: number,
  untilMs: number,
  currency: number,
): { readonly sum: number; readonly count: number } {
  const { packed, length } = tallies;
  let [sum, count] = [0, 0];
  const end = (untilMs === AT_THE_END ? length : firstTally(tallies, untilMs)) * TALLY_BYTES;
  for (let at = firstTally(tallies, fromMs) * TALLY_BYTES; at < end; at += TALLY_BYTES) {
    if (packed.getUint16(at + CURRENCY_AT, true) !== currency) continue;
    sum += packed.getFloat64(at + SUM_AT, true);
    count += packed.getUint32(at + COUNT_AT, true);
  }
  return { sum, count };
}

/** Index of the first tally whose bucket does not begin before a time. */
function firstTally({ packed, length }: Tallies, ms: number): number {
  let start = 0;
  let end = length;
  while (start < end) {
    const middle = (start + end) >> 1;
    if (packed.getFloat64(middle * TALLY_BYTES, true) < ms) start = middle + 1;
    else end = middle;
  }
  return start;
}

/**
 * A merchant's whole past by the hour, before a point and after it: with what the rows of its own hour sum up to, a transaction at
 * any moment has its features (merchant-features.ts), in whatever order the past arrives.
 */
export type Timeline = {
  /** Every row from here on is in the tallies. */
  readonly fromMs: number;
  /** Packed as Tallies, and room for more. */
  packed: DataView<ArrayBuffer>;
  length: number;
};

/** Tallies of a new timeline. A full one gets twice as many. */
const TALLIES_MIN = 32;

export function createTimeline(fromMs: number): Timeline {
  return { fromMs, packed: new DataView(new ArrayBuffer(TALLIES_MIN * TALLY_BYTES)), length: 0 };
}

/** The newest hour with a row, before a time; -Infinity without such a row. */
export function newestHourMs(timeline: Timeline, beforeMs = AT_THE_END): number {
  for (let index = firstTally(timeline, beforeMs) - 1; index >= 0; index--) {
    const { count, bucketMs } = readTally(timeline.packed, index);
    if (count > 0) return bucketMs;
  }
  return Number.NEGATIVE_INFINITY;
}

/** Adds a count and a sum, or takes back what was added where both are negative. */
export function addHour(timeline: Timeline, tally: Omit<Tally, 'daily'>): void {
  const { packed, length } = timeline;
  let index = firstTally(timeline, tally.bucketMs);
  while (index < length && compareTallies(readTally(packed, index), tally) < 0) index++;
  const known = index < length ? readTally(packed, index) : undefined;
  const isKnown = known !== undefined && compareTallies(known, tally) === 0;
  if (!isKnown) makeRoom(timeline, index);
  const [count, sum] = isKnown ? [known.count, known.sum] : [0, 0];
  const both = { ...tally, daily: false, count: count + tally.count, sum: sum + tally.sum };
  writeTally(timeline.packed, index, both);
}

export function compareTallies(a: Omit<Tally, 'daily'>, b: Omit<Tally, 'daily'>): number {
  return a.bucketMs - b.bucketMs || a.currency - b.currency;
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

/**
 * The frauds in a profile, nearly always none: a rebuild brings them, and a label that changes them invalidates the profile.
 * Stored, if there are any: floor (f64), then of each span created_at, from, until (f64) and a flag (u32, padded to 8 bytes).
 */
const FLOOR_BYTES = 8;
/** Whole words of 8 bytes, so that the records behind the spans stay aligned. */
const SPAN_BYTES = 32;

/** @param count number of spans */
export function fraudsBytes(count: number): number {
  return count === 0 ? 0 : FLOOR_BYTES + count * SPAN_BYTES;
}

export function writeFrauds(view: DataView, offset: number, { spans, floorMs }: KnownFrauds): void {
  if (spans.length === 0) return;
  view.setFloat64(offset, floorMs, true);
  spans.forEach(({ createdAtMs, fromMs, untilMs, isUnusual }, index) => {
    const at = offset + FLOOR_BYTES + index * SPAN_BYTES;
    view.setFloat64(at, createdAtMs, true);
    view.setFloat64(at + 8, fromMs, true);
    view.setFloat64(at + 16, untilMs, true);
    view.setUint32(at + 24, isUnusual ? 1 : 0, true);
    view.setUint32(at + 28, 0, true);
  });
}

export function readFrauds(view: DataView, offset: number, count: number): KnownFrauds {
  if (count === 0) return NO_FRAUDS;
  const spans: FraudSpan[] = [];
  for (let at = offset + FLOOR_BYTES; spans.length < count; at += SPAN_BYTES) {
    spans.push({
      createdAtMs: view.getFloat64(at, true),
      fromMs: view.getFloat64(at + 8, true),
      untilMs: view.getFloat64(at + 16, true),
      isUnusual: view.getUint32(at + 24, true) === 1,
    });
  }
  return { spans, floorMs: view.getFloat64(offset, true) };
}

/** True when the spans include all frauds that a history since `sinceMs` may use. */
export function knowsFrauds(frauds: KnownFrauds, atMs: number, sinceMs: number) {
  return (
    frauds.floorMs < sinceMs ||
    seenFrauds(frauds, atMs, Number.NEGATIVE_INFINITY).length >= FRAUDS_SEEN_MAX
  );
}

/**
 * The spans that a transaction uses, newest first: siblings created since a time and before its millisecond that
 * the newest label known by then calls fraud.
 */
export function seenFrauds({ spans }: KnownFrauds, atMs: number, sinceMs: number): FraudSpan[] {
  const seen: FraudSpan[] = [];
  for (let index = spans.length - 1; index >= 0 && seen.length < FRAUDS_SEEN_MAX; index--) {
    const span = spans[index] as FraudSpan;
    if (span.createdAtMs < sinceMs) break;
    if (span.createdAtMs >= atMs) continue;
    if (span.fromMs <= atMs && atMs < span.untilMs) seen.push(span);
  }
  return seen;
}

/** Spans created in [fromMs, toMs). */
export function countCreated(spans: readonly FraudSpan[], fromMs: number, toMs: number): number {
  let count = 0;
  for (const { createdAtMs } of spans) {
    if (createdAtMs >= fromMs && createdAtMs < toMs) count += 1;
  }
  return count;
}

export function fraudRate(frauds: number, transactions: number): number {
  return frauds / (transactions + FRAUD_RATE_SMOOTHING);
}
