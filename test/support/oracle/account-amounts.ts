/** Features of an account's transaction from the same-currency amounts of its siblings. */
import { ACCOUNT_HISTORY_ENTRIES, LARGE_MEDIANS } from '../../../src/core/domain/history.ts';
import type { PackedList } from '../../../src/core/profile/packed-list.ts';
import type { AccountHistory } from './histories.ts';
import { amountAt, currencyAt, DAY_MS, firstAfter } from './packed.ts';
import type { AccountRecord } from './records.ts';
import { selectRank } from './select-rank.ts';

/** From this share of the reporting limit on an amount is near it. */
const NEAR_LIMIT_SHARE = 0.8;

const ranked = new Float64Array(ACCOUNT_HISTORY_ENTRIES);

/** Where windows begin in the list; all of them end at `end`, and all visible siblings begin at `start`. */
export type Windows = {
  readonly from1h: number;
  readonly from24h: number;
  readonly from7d: number;
  readonly from14d: number;
  readonly from30d: number;
  readonly start: number;
  readonly end: number;
};

export function measureAmounts(
  list: PackedList,
  windows: Windows,
  record: AccountRecord,
  limitMinor: number,
  history: AccountHistory,
): void {
  const { from24h, from7d, from14d, from30d, start, end } = windows;
  sumWindows(list, windows, record, history);
  spreadAmounts(list, from30d, end, record, history);
  rankAmounts(list, start, end, record, history);
  history.large14d = countLarge(list, from14d, end, record, history.median);
  if (limitMinor > 0) {
    const from72h = firstAfter(list, from7d, from24h, record.createdAtMs - 3 * DAY_MS);
    history.nearLimit72h = countNearLimit(list, from72h, end, record, limitMinor);
  }
}

/** Same-currency sums, newest first, so that each window's sum is a longer one's beginning. */
function sumWindows(
  list: PackedList,
  { from1h, from24h, from7d, from14d, from30d, end }: Windows,
  record: AccountRecord,
  history: AccountHistory,
): void {
  let sum = 0;
  let amounts = 0;
  let largest = 0;
  for (let index = end - 1; index >= from30d; index--) {
    if (currencyAt(list, index) !== record.currency) continue;
    const amount = amountAt(list, index);
    sum += amount;
    amounts++;
    if (amount > largest) largest = amount;
    if (index >= from1h) history.sum1h = sum;
    if (index >= from14d) history.max14d = largest;
    if (index < from7d) continue;
    history.sum7d = sum;
    history.amounts7d = amounts;
    history.max7d = largest;
    if (index < from24h) continue;
    history.sum24h = sum;
    history.amounts24h = amounts;
  }
  history.sum30d = sum;
  history.amounts30d = amounts;
  if (amounts > 0) history.max30d = largest;
}

/** Mean and sample standard deviation of the same-currency amounts of 30 days. */
function spreadAmounts(
  list: PackedList,
  from30d: number,
  end: number,
  record: AccountRecord,
  history: AccountHistory,
): void {
  const { amounts30d, sum30d } = history;
  if (amounts30d === 0) return;
  const mean = sum30d / amounts30d;
  history.mean30d = mean;
  if (amounts30d === 1) return;
  let squares = 0;
  for (let index = end - 1; index >= from30d; index--) {
    if (currencyAt(list, index) !== record.currency) continue;
    const away = amountAt(list, index) - mean;
    squares += away * away;
  }
  history.deviation30d = Math.sqrt(squares / (amounts30d - 1));
}

/** Mean, median and 90th percentile of the visible siblings; ranks as in SQL's percentile_disc. */
function rankAmounts(
  list: PackedList,
  start: number,
  end: number,
  record: AccountRecord,
  history: AccountHistory,
): void {
  let count = 0;
  let sum = 0;
  for (let index = start; index < end; index++) {
    if (currencyAt(list, index) !== record.currency) continue;
    const amount = amountAt(list, index);
    ranked[count++] = amount;
    sum += amount;
  }
  history.amounts = count;
  if (count === 0) return;
  history.meanSeen = sum / count;
  const middle = (count + 1) >> 1;
  history.median = selectRank(ranked, count, middle);
  history.p90 = selectRank(ranked, count, count - Math.floor(count / 10), middle);
}

function countLarge(
  list: PackedList,
  from: number,
  end: number,
  record: AccountRecord,
  median: number,
): number {
  let count = 0;
  for (let index = from; index < end; index++) {
    if (amountAt(list, index) <= LARGE_MEDIANS * median) continue;
    if (currencyAt(list, index) === record.currency) count++;
  }
  return count;
}

function countNearLimit(
  list: PackedList,
  from: number,
  end: number,
  record: AccountRecord,
  limitMinor: number,
): number {
  const least = limitMinor * NEAR_LIMIT_SHARE;
  let count = 0;
  for (let index = from; index < end; index++) {
    if (currencyAt(list, index) !== record.currency) continue;
    const amount = amountAt(list, index);
    if (amount >= least && amount < limitMinor) count++;
  }
  return count;
}
