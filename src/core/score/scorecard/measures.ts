/**
 * Measures: the numbers that a scorecard weighs, read from a feature vector. Their names and order are stored with each
 * table, as points are added in that order.
 */

import { naturalLog } from '../../../kit/elementary-functions.ts';
import { FEATURE_COUNT, FEATURE_LIST, featureOf } from '../../domain/feature-schema.ts';

/** Features that say nothing beside the others: the amount has its own, and a weekday is seen too seldom in a month. */
const LEFT_OUT: ReadonlySet<string> = new Set(['weekday', 'weekend', 'amount_log']);

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

/** Features by features; a missing feature fails each condition but the last. */
const DERIVED: readonly (readonly [string, (vector: Float64Array) => number])[] = [
  [
    'count_24h_to_usual',
    (vector) =>
      spanDays(vector) >= 3 ? (count24h(vector) + 1) / Math.max(usual24h(vector), 0.2) : Number.NaN,
  ],
  [
    'count_1h_to_usual',
    (vector) =>
      spanDays(vector) >= 3 ? (count1h(vector) + 1) / Math.max(usual1h(vector), 0.02) : Number.NaN,
  ],
  [
    'merchant_count_1h_to_usual',
    (vector) =>
      merchantCount30d(vector) >= 100
        ? (merchantCount1h(vector) + 1) / Math.max(merchantUsual1h(vector), 0.02)
        : Number.NaN,
  ],
  [
    'gap_hours_of_habit',
    (vector) =>
      siblings(vector) >= 5 && !(amountToMedian(vector) < 1) ? gapHours(vector) : Number.NaN,
  ],
  [
    'merchant_rate_of_run',
    (vector) => {
      const rate = ordinaryRate7d(vector);
      return runDays(vector) <= 28 && !Number.isNaN(rate) ? rate : 0;
    },
  ],
];

/** Name of the measure of the default rules. */
export const DEFAULT_MEASURE = 'default_log_odds';

const SLOTS_FROM = FIXED.length + DERIVED.length + 1;

/**
 * Names of the measures, in their order. Slots come last, so that a field declared later moves no other measure.
 * @param slots names of what stands in the vector behind the fixed features
 */
export function measureNames(slots: readonly string[]): string[] {
  const fixed = FIXED.map(([name]) => name);
  const derived = DERIVED.map(([name]) => name);
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
    into[at++] = (DERIVED[nth] as (typeof DERIVED)[number])[1](vector);
  }
  into[at] = logOdds;
  for (at = SLOTS_FROM; at < into.length; at++) {
    into[at] = vector[FEATURE_COUNT + at - SLOTS_FROM] ?? Number.NaN;
  }
}

/** Finite also where no rule fired, or where one is certain. */
const LEAST_RISK = 0.001;
const GREATEST_RISK = 0.9995;

/** @param risk of the built-in rule set that a table names */
export function logOddsOf(risk: number): number {
  return naturalLog((risk + LEAST_RISK) / (1 - Math.min(risk, GREATEST_RISK)));
}
