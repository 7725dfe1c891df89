/**
 * Measures: the numbers that a scorecard weighs, read from a feature vector. Their names and order are stored with each
 * table, as points are added in that order.
 */

import { naturalLog } from '../../../kit/elementary-functions.ts';
import { FEATURE_COUNT, FEATURE_LIST, featureOf } from '../../domain/feature-schema.ts';

/** Features that say nothing beside the others: slots have the greatest tail, and a weekday is seen too seldom in a month. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'weekday',
  'weekend',
  'amount_log',
  'number_tail_max',
]);

const FIXED: readonly (readonly [name: string, index: number])[] = FEATURE_LIST.flatMap(
  ({ name }, index) => (LEFT_OUT.has(name) ? [] : [[name, index] as const]),
);

const count1h = featureOf('count_1h');
const count24h = featureOf('count_24h');
const usual1h = featureOf('usual_1h');
const usual24h = featureOf('usual_24h');
const spanDays = featureOf('span_days');
const siblings = featureOf('siblings');
const gapHours = featureOf('gap_hours');
const amountToMedian = featureOf('amount_to_median');
const merchantCount1h = featureOf('merchant_count_1h');
const merchantCount30d = featureOf('merchant_count_30d');
const merchantUsual1h = featureOf('merchant_usual_1h');
const ordinaryRate7d = featureOf('merchant_ordinary_rate_7d');
const runDays = featureOf('merchant_run_days');

type Derived = {
  readonly name: string;
  readonly meaning: string;
  readonly of: (vector: Float64Array) => number;
};

/** Features divided by features; a missing feature fails each condition but the last. */
const DERIVED: readonly Derived[] = [
  {
    name: 'count_24h_to_usual',
    meaning: "Siblings of the last 24 hours and this payment, by the account's usual number",
    of: (vector) =>
      spanDays(vector) >= 3 ? (count24h(vector) + 1) / Math.max(usual24h(vector), 0.2) : Number.NaN,
  },
  {
    name: 'count_1h_to_usual',
    meaning: "Siblings of the last hour and this payment, by the account's usual number",
    of: (vector) =>
      spanDays(vector) >= 3 ? (count1h(vector) + 1) / Math.max(usual1h(vector), 0.02) : Number.NaN,
  },
  {
    name: 'merchant_count_1h_to_usual',
    meaning: "The merchant's siblings of the last hour and this payment, by their usual number",
    of: (vector) =>
      merchantCount30d(vector) >= 100
        ? (merchantCount1h(vector) + 1) / Math.max(merchantUsual1h(vector), 0.02)
        : Number.NaN,
  },
  {
    name: 'gap_hours_of_habit',
    meaning: 'Hours since the newest sibling of an account that has habits, for no small amount',
    of: (vector) =>
      siblings(vector) >= 5 && !(amountToMedian(vector) < 1) ? gapHours(vector) : Number.NaN,
  },
  {
    name: 'merchant_rate_of_run',
    meaning: "The merchant's rate of ordinary payments while a run of frauds is new",
    of: (vector) => {
      const rate = ordinaryRate7d(vector);
      return runDays(vector) <= 28 && !Number.isNaN(rate) ? rate : 0;
    },
  },
];

/** Meaning of a measure that is no feature of the vector; undefined for a feature. */
export const meaningOf = (measure: string): string | undefined =>
  DERIVED.find(({ name }) => name === measure)?.meaning;

/** Name of the measure of the default rules. */
export const DEFAULT_MEASURE = 'default_log_odds';

const SLOTS_FROM = FIXED.length + DERIVED.length + 1;

/**
 * Names of the measures, in their order. Slots come last, so that a field declared later moves no other measure.
 * @param slots names of what stands in the vector behind the fixed features
 */
export function measureNames(slots: readonly string[]): string[] {
  const fixed = FIXED.map(([name]) => name);
  const derived = DERIVED.map(({ name }) => name);
  return [...fixed, ...derived, DEFAULT_MEASURE, ...slots];
}

/**
 * Writes the measures of a vector; a slot that the vector lacks is missing.
 * @param logOdds of the default rules
 * @param into as many numbers as there are names
 */
export function writeMeasures(vector: Float64Array, logOdds: number, into: Float64Array): void {
  let at = 0;
  for (let nth = 0; nth < FIXED.length; nth++) {
    into[at++] = vector[(FIXED[nth] as readonly [string, number])[1]] as number;
  }
  for (let nth = 0; nth < DERIVED.length; nth++) {
    into[at++] = (DERIVED[nth] as Derived).of(vector);
  }
  into[at] = logOdds;
  for (at = SLOTS_FROM; at < into.length; at++) {
    into[at] = vector[FEATURE_COUNT + at - SLOTS_FROM] ?? Number.NaN;
  }
}

/** Log-odds by the default rules. */
export type LogOdds = {
  readonly logOdds: number;
  /** The part that rules which read labels add. */
  readonly labelLogOdds: number;
};

/** Finite also where no rule fired, or where one is certain. */
const LEAST_RISK = 0.001;
const GREATEST_RISK = 0.9995;

/** @param risk of the built-in rule set that a table names */
export function logOddsOf(risk: number): number {
  return naturalLog((risk + LEAST_RISK) / (1 - Math.min(risk, GREATEST_RISK)));
}
