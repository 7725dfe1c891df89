/** Lifts of the values of a field, as a table of the day has them: common values by name, all others together. */
import { type Counted, liftOf } from './day-evidence.ts';

/** Counts of a value. */
export type CountedValue = {
  readonly value: string;
  /** Payments of the 90 days, matured or not. */
  readonly payments: number;
  /** Distinct accounts of these payments. */
  readonly accounts: number;
  readonly matured: Counted;
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
 * @param values of the 90 days, each once, in any order; a value without accounts may stand for many
 * @param market all payments of the market, with this field or without it
 */
export function liftsOf(values: readonly CountedValue[], market: Counted): Lifts {
  const named = values.filter(isNamed).sort(compareValues).slice(0, VALUES_MAX);
  const names = new Set(named);
  let [payments, frauds] = [0, 0];
  for (const value of values) {
    if (names.has(value)) continue;
    payments += value.matured.payments;
    frauds += value.matured.frauds;
  }
  return {
    byValue: new Map(named.map(({ value, matured }) => [value, liftOf(matured, market)])),
    others: liftOf({ payments, frauds }, market),
  };
}

const isNamed = ({ payments, accounts }: CountedValue) =>
  payments >= PAYMENTS_MIN && accounts >= ACCOUNTS_MIN;

/** Most payments first, equal counts in the order of code units. */
function compareValues(left: CountedValue, right: CountedValue): number {
  return right.payments - left.payments || (left.value < right.value ? -1 : 1);
}

/** @param value null where the payment lacks the field */
export function liftIn({ byValue, others }: Lifts, value: string | null): number {
  return value === null ? Number.NaN : (byValue.get(value) ?? others);
}
