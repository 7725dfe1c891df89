/**
 * Where the windows of a merchant's transaction begin in the merchant's list. They begin with whole hours and
 * days, so most arrivals have the windows of the one before: the positions are kept with the profile, advance
 * with the hour, and are searched again only where records in front of them have moved.
 */
import { DAY_MS, dayOf, HOUR_MS, hourOf } from '../../kit/words/utc-bucket.ts';
import {
  NO_CURRENCY,
  type RunningDistinct,
  type RunningSum,
  widenDistinct,
  widenSum,
} from './merchant-running.ts';
import { countOlder, type PackedList } from './packed-list.ts';
import { countTallied, type Tallies } from './tallies.ts';

/** Indexes of bounds: where the windows of all siblings begin, the longest first. */
export const FROM_30D = 0;
export const FROM_7D = 1;
export const FROM_24H = 2;
export const FROM_1H = 3;
/** Where the windows of siblings with mature labels begin, and where all of these end. */
export const MATURED_30D = 4;
export const MATURED_7D = 5;
export const MATURED_24H = 6;
const MATURED_END = 7;

/** The bounds of one hour's arrivals; the next call of readBounds overwrites them. */
const boundsMs = new Float64Array(8);

export type MerchantCursors = {
  /** The list's `moves` when the positions were found; they hold while it is the same. */
  moves: number;
  /** The hour of the arrival whose windows these are; NaN before the first. */
  hourMs: number;
  /** By bound: how many records of the list are older, which is the position where a window begins. */
  readonly starts: number[];
  /** By bound: how many siblings are older, tallied ones included. */
  readonly older: number[];
  readonly sum: RunningSum;
  readonly distinct: RunningDistinct;
};

export function createCursors(): MerchantCursors {
  return {
    moves: 0,
    hourMs: Number.NaN,
    starts: [0, 0, 0, 0, 0, 0, 0, 0],
    older: [0, 0, 0, 0, 0, 0, 0, 0],
    sum: { currency: NO_CURRENCY, from: 0, to: 0, sum: 0, count: 0 },
    distinct: { from: 0, to: 0, count: 0 },
  };
}

export function countMatured({ older }: MerchantCursors, bound: number): number {
  return (older[MATURED_END] as number) - (older[bound] as number);
}

export function moveCursors(
  cursors: MerchantCursors,
  list: PackedList,
  tallies: Tallies,
  ms: number,
  maturityDays: number,
): void {
  const hour = hourOf(ms);
  const holds = cursors.moves === list.moves;
  if (holds && cursors.hourMs === hour) return;
  // Windows of a later hour begin no earlier.
  const isOnward = holds && hour > cursors.hourMs;
  if (!holds) forgetWindows(cursors);
  cursors.moves = list.moves;
  cursors.hourMs = hour;
  readBounds(hour, maturityDays);
  const { starts } = cursors;
  let from = 0;
  for (let bound = 0; bound < boundsMs.length; bound++) {
    // Each shorter window begins within the longer one.
    if (bound === MATURED_30D) from = 0;
    if (isOnward) from = Math.max(from, starts[bound] as number);
    from = countOlder(list, boundsMs[bound] as number, from);
    starts[bound] = from;
  }
  addTallied(cursors, tallies);
}

function readBounds(hour: number, maturityDays: number): void {
  const matureHour = hour - maturityDays * DAY_MS;
  boundsMs[FROM_30D] = dayOf(hour) - 29 * DAY_MS;
  boundsMs[FROM_7D] = dayOf(hour) - 6 * DAY_MS;
  boundsMs[FROM_24H] = hour - 23 * HOUR_MS;
  boundsMs[FROM_1H] = hour;
  boundsMs[MATURED_30D] = dayOf(matureHour) - 29 * DAY_MS;
  boundsMs[MATURED_7D] = dayOf(matureHour) - 6 * DAY_MS;
  boundsMs[MATURED_24H] = matureHour - DAY_MS;
  boundsMs[MATURED_END] = matureHour;
}

/** Counts the siblings before each bound once its position is known. */
function addTallied({ starts, older }: MerchantCursors, tallies: Tallies): void {
  for (let bound = 0; bound < boundsMs.length; bound++) {
    older[bound] = (starts[bound] as number) + countTallied(tallies, boundsMs[bound] as number);
  }
}

/** Records have moved, so all positions are out of date. */
function forgetWindows({ sum, distinct }: MerchantCursors): void {
  sum.currency = NO_CURRENCY;
  distinct.from = 0;
  distinct.to = 0;
  distinct.count = 0;
}

/** Bytes that a copy in memory has beside its profile: whole words of 8 bytes. */
export const CURSORS_BYTES = 40;
const HOUR_AT = 8;
const STARTS_AT = 12;
const COUNTS_AT = 28;

/**
 * Layout: sum (f64), hour (u32, 0 for no cursors), then positions and counts (u16), as a copy has at most 4,096
 * records.
 */
export function writeCursors(
  cursors: MerchantCursors,
  list: PackedList,
  view: DataView,
  at: number,
): void {
  const { starts, sum, distinct } = cursors;
  const holds = cursors.moves === list.moves && !Number.isNaN(cursors.hourMs);
  view.setUint32(at + HOUR_AT, holds ? cursors.hourMs / HOUR_MS : 0, true);
  if (!holds) return;
  view.setFloat64(at, sum.sum, true);
  for (let bound = 0; bound < starts.length; bound++) {
    view.setUint16(at + STARTS_AT + 2 * bound, starts[bound] as number, true);
  }
  view.setUint16(at + COUNTS_AT, sum.currency, true);
  view.setUint16(at + COUNTS_AT + 2, sum.from, true);
  view.setUint16(at + COUNTS_AT + 4, sum.to, true);
  view.setUint16(at + COUNTS_AT + 6, sum.count, true);
  view.setUint16(at + COUNTS_AT + 8, distinct.from, true);
  view.setUint16(at + COUNTS_AT + 10, distinct.count, true);
}

/** Writes the cursors of a list; those of a list that was moved since the last fold are not written. */
export function readCursors(
  cursors: MerchantCursors,
  tallies: Tallies,
  maturityDays: number,
  view: DataView,
  at: number,
): void {
  const hour = view.getUint32(at + HOUR_AT, true);
  if (hour === 0) return;
  const { starts, sum, distinct } = cursors;
  sum.sum = view.getFloat64(at, true);
  cursors.hourMs = hour * HOUR_MS;
  for (let bound = 0; bound < starts.length; bound++) {
    starts[bound] = view.getUint16(at + STARTS_AT + 2 * bound, true);
  }
  sum.currency = view.getUint16(at + COUNTS_AT, true);
  sum.from = view.getUint16(at + COUNTS_AT + 2, true);
  sum.to = view.getUint16(at + COUNTS_AT + 4, true);
  sum.count = view.getUint16(at + COUNTS_AT + 6, true);
  distinct.from = view.getUint16(at + COUNTS_AT + 8, true);
  distinct.to = sum.to;
  distinct.count = view.getUint16(at + COUNTS_AT + 10, true);
  readBounds(cursors.hourMs, maturityDays);
  addTallied(cursors, tallies);
}

/**
 * Takes in a record that was inserted at `index`. Nearly all are of the hour, behind the beginnings of all windows;
 * where one moved these, they are searched again.
 */
export function noteInserted(cursors: MerchantCursors, list: PackedList, index: number): void {
  const { sum, distinct, starts } = cursors;
  const isMoving = index < list.count - 1;
  if (!isMoving || cursors.moves !== list.moves - 1) return;
  if (index <= (starts[FROM_1H] as number)) return;
  cursors.moves = list.moves;
  if (index >= sum.to) return;
  widenSum(sum, list, index);
  widenDistinct(distinct, list, index);
}
