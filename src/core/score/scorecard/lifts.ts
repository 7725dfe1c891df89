/** Lifts of the values of a field, as a table of the day has them: common values by name, all others together. */
import { type Counted, liftOf } from './day-evidence.ts';

/** Counts of a value over the 90 days. */
export type ValueSum = {
  /** All payments, matured or not. */
  payments: number;
  matured: number;
  /** Frauds among the matured payments. */
  frauds: number;
  /** Hashes of distinct accounts. */
  readonly accounts: number[];
};

export type Lifts = {
  readonly byValue: ReadonlyMap<string, number>;
  /** Lift of a value that is not named. */
  readonly others: number;
};

/** More: a larger table. Fewer: rarer values have no lift of their own. */
const VALUES_MAX = 256;
/** Fewer: a table that people read shows facts about single accounts. */
const PAYMENTS_MIN = 30;
const ACCOUNTS_MIN = 10;

/**
 * @param others values without counts of their own
 * @param market all payments of the market, with this field or without it
 */
export function liftsOf(
  byValue: ReadonlyMap<string, ValueSum>,
  others: ValueSum,
  market: Counted,
): Lifts {
  const named = new Map([...byValue].filter(isNamed).sort(compareValues).slice(0, VALUES_MAX));
  let { matured: payments, frauds } = others;
  for (const [value, sum] of byValue) {
    if (named.has(value)) continue;
    payments += sum.matured;
    frauds += sum.frauds;
  }
  const liftOfSum = (sum: ValueSum) =>
    liftOf({ payments: sum.matured, frauds: sum.frauds }, market);
  return {
    byValue: new Map([...named].map(([value, sum]) => [value, liftOfSum(sum)])),
    others: liftOf({ payments, frauds }, market),
  };
}

type Entry = readonly [value: string, sum: ValueSum];

const isNamed = ([, { payments, accounts }]: Entry) =>
  payments >= PAYMENTS_MIN && accounts.length >= ACCOUNTS_MIN;

/** Most payments first, equal counts in the order of code units. */
const compareValues = ([left, { payments: less }]: Entry, [right, { payments: more }]: Entry) =>
  more - less || (left < right ? -1 : 1);

/** @param value null where the payment lacks the field */
export function liftIn({ byValue, others }: Lifts, value: string | null): number {
  return value === null ? Number.NaN : (byValue.get(value) ?? others);
}
