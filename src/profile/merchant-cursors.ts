/**
 * Where the windows of a merchant's transaction begin in the merchant's list. They begin with whole hours and
 * days, so most arrivals have the windows of the one before: the positions are kept with the profile, advance
 * with the hour, and are searched again only where items in front of them have moved.
 */
import { DAY_MS, dayOf, HOUR_MS, hourOf } from '../domain/utc-bucket.ts';
import { type RunningDistinct, widenDistinct } from './merchant-distinct.ts';
import { type MaturedWindows, maturedWindows } from './merchant-matured.ts';
import { createRunningSum, type RunningSum, widenSum } from './merchant-sum.ts';
import { type PackedList, timeAt } from './packed-list.ts';
import { countTallied, type Tallies } from './tallies.ts';

export type MerchantCursors = {
  /** The list's `moves` when the positions were found; they hold while it is the same. */
  moves: number;
  /** The hour of the arrival whose windows these are; NaN before the first. */
  hourMs: number;
  /** Position where each window begins in the list, and how many of its siblings are tallied. */
  start1h: number;
  start24h: number;
  start7d: number;
  start30d: number;
  tallied1h: number;
  tallied24h: number;
  tallied7d: number;
  tallied30d: number;
  /** Positions where the siblings with mature labels end in the list, and begin for each of their windows. */
  maturedEnd: number;
  maturedStart24h: number;
  maturedStart7d: number;
  maturedStart30d: number;
  /** How many siblings each of these windows has, tallied ones included. */
  matured24h: number;
  matured7d: number;
  matured30d: number;
  readonly sum: RunningSum;
  /** The distinct accounts of the hour. */
  readonly distinct: RunningDistinct;
};

export function createCursors(): MerchantCursors {
  return {
    moves: 0,
    hourMs: Number.NaN,
    start1h: 0,
    start24h: 0,
    start7d: 0,
    start30d: 0,
    tallied1h: 0,
    tallied24h: 0,
    tallied7d: 0,
    tallied30d: 0,
    maturedEnd: 0,
    maturedStart24h: 0,
    maturedStart7d: 0,
    maturedStart30d: 0,
    matured24h: 0,
    matured7d: 0,
    matured30d: 0,
    sum: createRunningSum(),
    distinct: { from: 0, to: 0, count: 0 },
  };
}

/** Moves the cursors to the windows of an arrival at `ms`. */
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
  if (!holds) forgetItems(cursors);
  cursors.moves = list.moves;
  cursors.hourMs = hour;
  const matured = maturedWindows(ms, maturityDays);
  moveWindows(cursors, list, ms, isOnward);
  moveMatured(cursors, list, matured, isOnward);
  countWindows(cursors, tallies, ms, matured);
}

/** Bytes that a copy in memory has beside its profile: whole words of 8 bytes. */
export const CURSORS_BYTES = 40;
const HOUR_AT = 8;
const STARTS_AT = 12;
const COUNTS_AT = 28;
/** A currency that does not exist, as none has 16 bits. */
const NO_CURRENCY = 0xffff;

/**
 * Layout: sum (f64), hour (u32, 0 for no cursors), then positions and counts (u16), as a copy has at most 4,096
 * items.
 */
export function writeCursors(
  cursors: MerchantCursors,
  list: PackedList,
  view: DataView,
  at: number,
): void {
  const { sum, distinct } = cursors;
  const holds = cursors.moves === list.moves && !Number.isNaN(cursors.hourMs);
  view.setUint32(at + HOUR_AT, holds ? cursors.hourMs / HOUR_MS : 0, true);
  if (!holds) return;
  view.setFloat64(at, sum.sum, true);
  view.setUint16(at + STARTS_AT, cursors.start1h, true);
  view.setUint16(at + STARTS_AT + 2, cursors.start24h, true);
  view.setUint16(at + STARTS_AT + 4, cursors.start7d, true);
  view.setUint16(at + STARTS_AT + 6, cursors.start30d, true);
  view.setUint16(at + STARTS_AT + 8, cursors.maturedEnd, true);
  view.setUint16(at + STARTS_AT + 10, cursors.maturedStart24h, true);
  view.setUint16(at + STARTS_AT + 12, cursors.maturedStart7d, true);
  view.setUint16(at + STARTS_AT + 14, cursors.maturedStart30d, true);
  view.setUint16(at + COUNTS_AT, sum.currency < 0 ? NO_CURRENCY : sum.currency, true);
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
  const { sum, distinct } = cursors;
  sum.sum = view.getFloat64(at, true);
  cursors.hourMs = hour * HOUR_MS;
  cursors.start1h = view.getUint16(at + STARTS_AT, true);
  cursors.start24h = view.getUint16(at + STARTS_AT + 2, true);
  cursors.start7d = view.getUint16(at + STARTS_AT + 4, true);
  cursors.start30d = view.getUint16(at + STARTS_AT + 6, true);
  cursors.maturedEnd = view.getUint16(at + STARTS_AT + 8, true);
  cursors.maturedStart24h = view.getUint16(at + STARTS_AT + 10, true);
  cursors.maturedStart7d = view.getUint16(at + STARTS_AT + 12, true);
  cursors.maturedStart30d = view.getUint16(at + STARTS_AT + 14, true);
  const currency = view.getUint16(at + COUNTS_AT, true);
  sum.currency = currency === NO_CURRENCY ? -1 : currency;
  sum.from = view.getUint16(at + COUNTS_AT + 2, true);
  sum.to = view.getUint16(at + COUNTS_AT + 4, true);
  sum.count = view.getUint16(at + COUNTS_AT + 6, true);
  distinct.from = view.getUint16(at + COUNTS_AT + 8, true);
  distinct.to = sum.to;
  distinct.count = view.getUint16(at + COUNTS_AT + 10, true);
  countWindows(cursors, tallies, cursors.hourMs, maturedWindows(cursors.hourMs, maturityDays));
}

/** Items have moved, so all positions are out of date. */
function forgetItems({ sum, distinct }: MerchantCursors): void {
  sum.currency = -1;
  distinct.from = 0;
  distinct.to = 0;
  distinct.count = 0;
}

/** Counts each window once its beginning is known. */
function countWindows(
  cursors: MerchantCursors,
  tallies: Tallies,
  ms: number,
  matured: MaturedWindows,
): void {
  const tallied = countTallied(tallies, Number.POSITIVE_INFINITY);
  cursors.tallied1h = tallied - countTallied(tallies, hourOf(ms));
  cursors.tallied24h = tallied - countTallied(tallies, hourOf(ms) - 23 * HOUR_MS);
  cursors.tallied7d = tallied - countTallied(tallies, dayOf(ms) - 6 * DAY_MS);
  cursors.tallied30d = tallied - countTallied(tallies, dayOf(ms) - 29 * DAY_MS);
  const end = cursors.maturedEnd + countTallied(tallies, matured.toMs);
  cursors.matured24h = end - cursors.maturedStart24h - countTallied(tallies, matured.from24hMs);
  cursors.matured7d = end - cursors.maturedStart7d - countTallied(tallies, matured.from7dMs);
  cursors.matured30d = end - cursors.maturedStart30d - countTallied(tallies, matured.from30dMs);
}

function moveWindows(
  cursors: MerchantCursors,
  list: PackedList,
  ms: number,
  isOnward: boolean,
): void {
  const hour = hourOf(ms);
  const from24hMs = hour - 23 * HOUR_MS;
  const from7dMs = dayOf(ms) - 6 * DAY_MS;
  const from30dMs = dayOf(ms) - 29 * DAY_MS;
  const { start30d, start7d, start24h, start1h } = cursors;
  // Each shorter window begins within the longer one.
  cursors.start30d = seek(list, isOnward ? start30d : 0, from30dMs);
  cursors.start7d = seek(list, Math.max(cursors.start30d, isOnward ? start7d : 0), from7dMs);
  cursors.start24h = seek(list, Math.max(cursors.start7d, isOnward ? start24h : 0), from24hMs);
  cursors.start1h = seek(list, Math.max(cursors.start24h, isOnward ? start1h : 0), hour);
}

function moveMatured(
  cursors: MerchantCursors,
  list: PackedList,
  { toMs, from24hMs, from7dMs, from30dMs }: MaturedWindows,
  isOnward: boolean,
): void {
  const { maturedEnd, maturedStart24h, maturedStart7d, maturedStart30d } = cursors;
  const start30d = seek(list, isOnward ? maturedStart30d : 0, from30dMs);
  const start7d = seek(list, Math.max(start30d, isOnward ? maturedStart7d : 0), from7dMs);
  const start24h = seek(list, Math.max(start7d, isOnward ? maturedStart24h : 0), from24hMs);
  const end = seek(list, Math.max(start24h, isOnward ? maturedEnd : 0), toMs);
  cursors.maturedStart30d = start30d;
  cursors.maturedStart7d = start7d;
  cursors.maturedStart24h = start24h;
  cursors.maturedEnd = end;
}

/** Index of the first item from an index on that is not older than a time; most often it is near. */
function seek(list: PackedList, from: number, ms: number): number {
  const { count } = list;
  let start = from;
  let step = 1;
  while (start + step <= count && timeAt(list, start + step - 1) < ms) {
    start += step;
    step *= 2;
  }
  let end = Math.min(count, start + step);
  while (start < end) {
    const middle = (start + end) >> 1;
    if (timeAt(list, middle) < ms) start = middle + 1;
    else end = middle;
  }
  return start;
}

/**
 * Takes in an item that was inserted at `index`. Nearly all are of the hour, behind the beginnings of all windows;
 * where one moved these, they are searched again.
 */
export function noteInserted(cursors: MerchantCursors, list: PackedList, index: number): void {
  const { sum, distinct, start1h } = cursors;
  const isMoving = index < list.count - 1;
  if (!isMoving || cursors.moves !== list.moves - 1) return;
  if (index <= start1h) return;
  cursors.moves = list.moves;
  if (index >= sum.to) return;
  widenSum(sum, list, index);
  widenDistinct(distinct, list, index);
}
