/** The same-currency sum of a merchant's listed siblings, computed incrementally. */
import { amountAt, currencyAt } from './merchant-item.ts';
import type { PackedList } from './packed-list.ts';

/** Sum (minor units) and count of the items [from, to) of one currency; NO_CURRENCY: there is no sum. */
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

/** Moves it to the sum over the items [from, to) of a currency. */
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
    // What is added comes first: no sum in between is larger.
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

/** Takes in an item that was inserted among those of the sum. */
export function widenSum(running: RunningSum, list: PackedList, index: number): void {
  running.to++;
  add(running, list, index, index + 1, 1);
}

/** @param times 1 adds the items, -1 takes them away; both are exact */
function add(running: RunningSum, list: PackedList, from: number, to: number, times: 1 | -1): void {
  const { currency } = running;
  for (let index = from; index < to; index++) {
    if (currencyAt(list, index) !== currency) continue;
    running.sum += times * amountAt(list, index);
    running.count += times;
  }
}
