/** Counts distinct accounts among a merchant's newest siblings, incrementally. */
import { addDistinct, beginDistinct } from './distinct.ts';
import { accountAt } from './merchant-item.ts';
import type { PackedList } from './packed-list.ts';

/** How many accounts the items [from, to) have. */
export type RunningDistinct = { from: number; to: number; count: number };

/**
 * A step compares an item with the whole window; counting anew costs as much as this many steps (measured: 256
 * items).
 */
const STEPS_MAX = 6;

/** Counts the accounts of the items [from, to). */
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

/** Takes in an item that was inserted among those that are counted, or in front of them. */
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

/** Whether any of the items [from, to) is of the account of the item at `index`. */
function hasAccountOf(list: PackedList, index: number, from: number, to: number): boolean {
  const account = accountAt(list, index);
  for (let other = from; other < to; other++) {
    if (accountAt(list, other) === account) return true;
  }
  return false;
}
