/** The sum and the distinct accounts of a merchant's listed siblings, computed incrementally. */
import { addDistinct, beginDistinct } from './distinct.ts';
import { accountAt, amountAt, currencyAt } from './merchant-record.ts';
import type { PackedList } from './packed-list.ts';

/** Sum (minor units) and count of the records [from, to) of one currency; NO_CURRENCY: there is no sum. */
export type RunningSum = {
  currency: number;
  from: number;
  to: number;
  sum: number;
  count: number;
};

/**
 * Sums of integers below this are exact, so they may be added and subtracted in any order. Others are added up
 * anew, from the oldest on.
 */
const EXACT_MAX = 2 ** 53;

/** A currency that does not exist, as none has 16 bits. */
export const NO_CURRENCY = 0xffff;

/** Moves it to the sum over the records [from, to) of a currency. */
export function moveSum(
  running: RunningSum,
  list: PackedList,
  from: number,
  to: number,
  currency: number,
): void {
  const away = Math.abs(from - running.from) + Math.abs(to - running.to);
  const continues = running.currency === currency && away <= to - from;
  running.currency = currency;
  if (continues) {
    // Additions come first: no sum in between is larger.
    add(running, list, from, running.from, 1);
    add(running, list, running.to, to, 1);
    if (running.sum < EXACT_MAX) {
      add(running, list, running.from, from, -1);
      add(running, list, to, running.to, -1);
      running.from = from;
      running.to = to;
      return;
    }
  }
  running.sum = 0;
  running.count = 0;
  add(running, list, from, to, 1);
  running.from = from;
  running.to = to;
}

/** Takes in a record that was inserted among those of the sum. */
export function widenSum(running: RunningSum, list: PackedList, index: number): void {
  running.to++;
  add(running, list, index, index + 1, 1);
}

/** @param times 1 adds the records, -1 takes them away; both are exact */
function add(running: RunningSum, list: PackedList, from: number, to: number, times: 1 | -1): void {
  const { currency } = running;
  for (let index = from; index < to; index++) {
    if (currencyAt(list, index) !== currency) continue;
    running.sum += times * amountAt(list, index);
    running.count += times;
  }
}

/** How many accounts the records [from, to) have. */
export type RunningDistinct = { from: number; to: number; count: number };

/**
 * A step compares a record with the whole window; counting anew costs as much as this many steps (measured: 256
 * records).
 */
const STEPS_MAX = 6;

/** Counts the accounts of the records [from, to). */
export function moveDistinct(
  running: RunningDistinct,
  list: PackedList,
  from: number,
  to: number,
): void {
  if (Math.abs(from - running.from) + Math.abs(to - running.to) > STEPS_MAX) {
    beginDistinct();
    running.from = from;
    running.to = to;
    running.count = 0;
    for (let at = from; at < to; at++) running.count = addDistinct(accountAt(list, at));
    return;
  }
  while (running.to < to) {
    if (!hasAccountOf(list, running.to, running.from, running.to)) running.count++;
    running.to++;
  }
  while (running.from > from) {
    running.from--;
    if (!hasAccountOf(list, running.from, running.from + 1, running.to)) running.count++;
  }
  while (running.to > to) {
    running.to--;
    if (!hasAccountOf(list, running.to, running.from, running.to)) running.count--;
  }
  while (running.from < from) {
    if (!hasAccountOf(list, running.from, running.from + 1, running.to)) running.count--;
    running.from++;
  }
}

/** Takes in a record that was inserted among those that are counted, or in front of them. */
export function widenDistinct(running: RunningDistinct, list: PackedList, index: number): void {
  running.to++;
  if (index < running.from) running.from++;
  else if (
    !hasAccountOf(list, index, running.from, index) &&
    !hasAccountOf(list, index, index + 1, running.to)
  ) {
    running.count++;
  }
}

/** Whether any of the records [from, to) is of the account of the record at `index`. */
function hasAccountOf(list: PackedList, index: number, from: number, to: number): boolean {
  const account = accountAt(list, index);
  for (let other = from; other < to; other++) {
    if (accountAt(list, other) === account) return true;
  }
  return false;
}
