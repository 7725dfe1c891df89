/**
 * Where the windows of a merchant's transaction begin in the merchant's list. They begin with whole hours and days, so
 * for most arrivals they are where they were for the one before: they are kept with the profile, move on with the
 * hour, and are looked for anew only where items in front of them have moved.
 */
import { DAY_MS, dayOf, HOUR_MS, hourOf } from '../domain/utc-bucket.ts';
import { type MaturedWindows, maturedWindows } from './merchant-matured.ts';
import { createRunningSum, includeInserted, type RunningSum } from './merchant-sum.ts';
import { type PackedList, timeAt } from './packed-list.ts';
import { countTallied, type Tallies } from './tallies.ts';

export type MerchantCursors = {
  /** The list's `moves` when the rest was found, which holds while they are the same. */
  moves: number;
  /** The hour of the arrival whose windows these are; NaN before the first. */
  hourMs: number;
  /** Where each window begins in the list, and how many siblings tallies have of it. */
  start1h: number;
  start24h: number;
  start7d: number;
  start30d: number;
  tallied1h: number;
  tallied24h: number;
  tallied7d: number;
  tallied30d: number;
  /** Where the siblings with mature labels end in the list, and begin for each of their windows. */
  maturedEnd: number;
  maturedStart24h: number;
  maturedStart7d: number;
  maturedStart30d: number;
  /** How many they are in each, with those of tallies. */
  matured24h: number;
  matured7d: number;
  matured30d: number;
  readonly sum: RunningSum;
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
  };
}

/** Brings the cursors to the windows of an arrival at `ms`. */
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
  if (!holds) cursors.sum.currency = -1;
  cursors.moves = list.moves;
  cursors.hourMs = hour;
  moveWindows(cursors, list, tallies, ms, isOnward);
  moveMatured(cursors, list, tallies, maturedWindows(ms, maturityDays), isOnward);
}

function moveWindows(
  cursors: MerchantCursors,
  list: PackedList,
  tallies: Tallies,
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
  const tallied = countTallied(tallies, Number.POSITIVE_INFINITY);
  cursors.tallied1h = tallied - countTallied(tallies, hour);
  cursors.tallied24h = tallied - countTallied(tallies, from24hMs);
  cursors.tallied7d = tallied - countTallied(tallies, from7dMs);
  cursors.tallied30d = tallied - countTallied(tallies, from30dMs);
}

function moveMatured(
  cursors: MerchantCursors,
  list: PackedList,
  tallies: Tallies,
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
  const tallied = countTallied(tallies, toMs);
  cursors.matured24h = end - start24h + tallied - countTallied(tallies, from24hMs);
  cursors.matured7d = end - start7d + tallied - countTallied(tallies, from7dMs);
  cursors.matured30d = end - start30d + tallied - countTallied(tallies, from30dMs);
}

/** The first item from an index on that is not older than a time; most often it is near. */
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
 * The arrival whose windows these are was put among others: behind the beginnings of all its windows, so that only the
 * sum may have to count it.
 */
export function noteInserted(cursors: MerchantCursors, list: PackedList, index: number): void {
  if (cursors.moves !== list.moves - 1) return;
  cursors.moves = list.moves;
  if (index < cursors.sum.to) includeInserted(cursors.sum, list, index);
}
