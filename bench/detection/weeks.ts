/** Average precision of scores by week, by the protocol of the published data. */
import {
  averagePrecisionOf,
  thresholdsOf,
} from '../../src/rooms/models/training/evaluation/ranking.ts';
import { testWeek } from './protocol.ts';
import { type Day, dateOf, type Payment } from './published-days.ts';

const DAY_MS = 86_400_000;
/** A table learns from payments that are so old: the delay of their labels and a guard day. */
const MATURED_DAYS = 8;
/** Means begin there: the first tables know few frauds. */
const MEAN_FROM_DAYS = 28;
const LAST_WEEKS = 4;

/** The last two are there where a policy is. */
type ByScorer<Of> = Readonly<Record<'amount' | 'rules' | 'scorecard', Of>> &
  Readonly<Partial<Record<'policy' | 'trees', Of>>>;

/** Scores are in the order of the payments. */
export type Scores = ByScorer<ArrayLike<number>>;

export type Week = {
  readonly startMs: number;
  /** Without customers who are known to be compromised. */
  readonly payments: number;
  readonly frauds: number;
  /** Known frauds when the week begins. */
  readonly known: number;
  /** Average precision; NaN in a week without fraud, or with a payment that has no score. */
  readonly precisions: ByScorer<number>;
};

const byScorer = (names: object, of: (name: string) => number) =>
  Object.fromEntries(Object.keys(names).map((name) => [name, of(name)])) as Week['precisions'];

/** When whole weeks begin. @param weeksFrom number of the first day */
export function weekStarts(days: readonly Day[], weeksFrom: number): number[] {
  const firstDays = days.filter((_, day) => day >= weeksFrom && (day - weeksFrom) % 7 === 0);
  const endMs = (days.at(-1)?.startMs ?? 0) + DAY_MS;
  return firstDays.map(({ startMs }) => startMs).filter((startMs) => startMs + 7 * DAY_MS <= endMs);
}

/** @param labelled payments whose label is known once its time has come */
export function measureWeeks(
  days: readonly Day[],
  starts: readonly number[],
  scores: Scores,
  labelled: readonly Payment[],
): Week[] {
  const known = labelled.filter(({ isFraud }) => isFraud);
  return starts.map((startMs) => {
    const before = days.filter((day) => day.startMs < startMs);
    const first = before.reduce((sum, { payments }) => sum + payments.length, 0);
    const kept = [...testWeek(days, startMs).entries()].filter(([, { isKept }]) => isKept);
    const labels = kept.map(([, { isFraud }]) => (isFraud ? 1 : 0));
    const precisionBy = (name: string) => {
      const ofKept = kept.map(([row]) => scores[name as keyof Scores]?.[first + row] ?? Number.NaN);
      if (ofKept.some(Number.isNaN)) return Number.NaN;
      return averagePrecisionOf(thresholdsOf({ scores: ofKept, labels }));
    };
    const maturedMs = startMs - MATURED_DAYS * DAY_MS;
    return {
      ...{ startMs, payments: kept.length },
      frauds: labels.filter((label) => label === 1).length,
      known: known.filter(({ createdAt }) => Date.parse(createdAt) <= maturedMs).length,
      precisions: byScorer(scores, precisionBy),
    };
  });
}

type Means = { readonly weeks: string } & Week['precisions'];

/** Means of the weeks from day 28 on, of the last four and of those with trees; weeks without fraud stay out. */
export function meansOf(weeks: readonly Week[], firstDayMs: number): Means[] {
  const from = weeks.filter(
    ({ startMs, frauds }) => frauds > 0 && startMs >= firstDayMs + MEAN_FROM_DAYS * DAY_MS,
  );
  const meanOf = (of: readonly Week[], name: string) => {
    const told = of.map(({ precisions }) => precisions[name as keyof Scores] ?? Number.NaN);
    const known = told.filter((precision) => !Number.isNaN(precision));
    return known.reduce((sum, precision) => sum + precision, 0) / known.length;
  };
  const meansBy = (weeks: string, of: readonly Week[]) => ({
    ...{ weeks, ...byScorer(of[0]?.precisions ?? {}, (name) => meanOf(of, name)) },
  });
  const withTrees = from.filter(({ precisions: { trees = Number.NaN } }) => !Number.isNaN(trees));
  const means = [
    meansBy('from day 28 on', from),
    meansBy('the last four', from.slice(-LAST_WEEKS)),
  ];
  return withTrees.length === 0 ? means : [...means, meansBy('with trees', withTrees)];
}

/** A scorecard that knows so many frauds may be worse than the rules by so much, not by more. */
const [KNOWN_MIN, LOSS_MAX] = [100, 0.02];

/** A sentence for each week in which the scorecard is worse than the rules although it has learnt. */
export function lostWeeks(weeks: readonly Week[]): string[] {
  return weeks
    .filter(({ known }) => known >= KNOWN_MIN)
    .filter(({ precisions }) => precisions.scorecard < precisions.rules - LOSS_MAX)
    .map(
      ({ startMs, precisions: { scorecard, rules } }) =>
        `the week of ${dateOf(startMs)}: ${scorecard.toFixed(3)} by the scorecard, ${rules.toFixed(3)} by the rules`,
    );
}
