/**
 * Features that compare a transaction with what a market's table of the day has counted. Each is a function of counts
 * alone, so that a worker, an oracle and a rebuilt table agree to the bit.
 */
import { naturalLog } from '../../../kit/elementary-functions.ts';

/** Prior of a key: payments at the market's rate of fraud. Fewer: a single fraud of a rare value weighs too much. */
const LIFT_PRIOR = 30;

/** Matured payments, and the frauds among them. */
export type Counted = { readonly payments: number; readonly frauds: number };

/** Log of a key's rate of fraud divided by the market's; NaN while the market has no fraud. */
export function liftOf(key: Counted, market: Counted): number {
  if (market.frauds === 0) return Number.NaN;
  return naturalLog(weightOf(key, market) / baseOf(market));
}

const baseOf = ({ payments, frauds }: Counted) => (frauds + 0.5) / (payments + 100);

/** Share of frauds of a key, with a prior of LIFT_PRIOR payments at the market's rate. */
export function weightOf(key: Counted, market: Counted): number {
  return (key.frauds + LIFT_PRIOR * baseOf(market)) / (key.payments + LIFT_PRIOR);
}

const log10 = (value: number) => naturalLog(value) / Math.LN10;

/** A multiple of log10 this near to a whole number is that number: 1000 begins a decade, and its logarithm is rounded. */
const WHOLE_WITHIN = 1e-12;

/** @param round to a whole number, where the logarithm is none */
export function steps(aDecade: number, value: number, round = Math.floor): number {
  const exact = aDecade * log10(value);
  const nearest = Math.round(exact);
  return Math.abs(exact - nearest) < WHOLE_WITHIN ? nearest : round(exact);
}

/**
 * Key of a cell, which counts payments of one kind with amounts within a tenth of a decade.
 * @param group value of the field that the table groups by, empty where a payment has none
 * @param amount in the market's currency
 */
export function cellOf(group: string, amount: number): string {
  return `${steps(10, amount)} ${group}`;
}

const TAILS_A_DECADE = 50;
/** Twenty decades, which no number of a metadata field exceeds by much. */
export const TAIL_BUCKETS = 1024;

/** The bucket of a declared number in a table's tails; a number below 0 counts as 0. */
export function tailBucket(value: number): number {
  return Math.min(steps(TAILS_A_DECADE, 1 + Math.max(value, 0)), TAIL_BUCKETS - 1);
}

/**
 * Rarity of numbers that are at least as great as this, in decades; NaN without a number.
 * @param above numbers in its bucket or above, of `numbers`
 */
export function tailOf(above: number, numbers: number): number {
  if (numbers === 0) return Number.NaN;
  return -log10((above + 0.5) / (numbers + 1));
}

const HOURS = 24;
/** Prior of an account: payments spread over the hours as the market's. Fewer: its second payment is a surprise. */
const HOUR_PRIOR = 12;

/** Shares of a market's payments by UTC hour; no share is 0. */
export function hourShares(payments: ArrayLike<number>): Float64Array {
  let total = 0;
  for (let hour = 0; hour < HOURS; hour++) total += payments[hour] ?? 0;
  return Float64Array.from(
    { length: HOURS },
    (_, hour) => ((payments[hour] ?? 0) + 1) / (total + HOURS),
  );
}

/**
 * How unusual an hour is for an account, in decades: 0 is as usual as any hour is on average.
 * @param siblings payments of the account by UTC hour
 */
export function hourSurprise(
  siblings: ArrayLike<number>,
  shares: Float64Array,
  hour: number,
): number {
  let count = 0;
  for (let each = 0; each < HOURS; each++) count += siblings[each] ?? 0;
  const expected = around(siblings, hour) + HOUR_PRIOR * around(shares, hour);
  return -log10((HOURS * expected) / (count + HOUR_PRIOR));
}

/** Half of an hour, and a quarter of each neighbour. */
function around(hours: ArrayLike<number>, hour: number): number {
  const before = hours[(hour + HOURS - 1) % HOURS] ?? 0;
  const after = hours[(hour + 1) % HOURS] ?? 0;
  return 0.5 * (hours[hour] ?? 0) + 0.25 * before + 0.25 * after;
}

/** Fewest numbers of an account with which a number is compared. Fewer: its third payment looks unusual. */
const NUMBERS_MIN = 5;
/** Smaller: an account that paid at a distance of 0 until now exceeds every bound by its first other payment. */
const MEDIAN_MIN = 0.1;

/**
 * A declared number divided by the upper median of the account's newest numbers before it; NaN for fewer than five.
 * @param newest sorted in place
 */
export function numberToAccount(value: number, newest: Float32Array): number {
  if (newest.length < NUMBERS_MIN) return Number.NaN;
  newest.sort();
  return value / Math.max(newest[newest.length >> 1] as number, MEDIAN_MIN);
}

/** Returns the value of a key, and makes the value for a new key. */
export function inMap<Key, Value>(values: Map<Key, Value>, key: Key, make: () => Value): Value {
  const known = values.get(key);
  if (known !== undefined) return known;
  const made = make();
  values.set(key, made);
  return made;
}

export function addTo(counts: Uint32Array | Float64Array, at: number, count: number): void {
  counts[at] = (counts[at] as number) + count;
}
