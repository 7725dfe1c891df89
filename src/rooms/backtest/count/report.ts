/** The report of counts. Pure: equal counts give equal bytes. */
import type { z } from 'zod';
import { type OutcomeShare, shareOf } from '../../../core/domain/outcome-share.ts';
import { SCORE_MAX, VERDICTS } from '../../../core/domain/score-record.ts';
import type { Pair } from './fold-rows.ts';
import {
  type ByLabel,
  type Counts,
  FRAUD,
  LEGITIMATE,
  noRows,
  noRule,
  OFFICER,
  type reportSchema,
  UNLABELLED,
  type VersionCounts,
} from './report-schema.ts';

export type Report = z.infer<typeof reportSchema>;

/** Rules that fire together with a rule most often. */
const OVERLAPS_MAX = 5;
const PLACES = 4;
/** Places of what is divided by days. */
const DAILY = 100;

type Named = { readonly id: string; readonly code: string };

/** Standard deviations that hold 95 % of a normal distribution. */
const Z = 1.959964;

/**
 * @param rules of the version in question, in their order: a rule that never fired is in the report
 * @param names of the two versions
 */
export function reportOf(counts: Counts, rules: readonly Named[], names: Pair<string>): Report {
  const { rows, versions, missing, unjudged } = counts;
  const days = Object.values(counts.days);
  const perDay = perDayOf(days.length);
  const sumDays = (at: number) => days.reduce((sum, day) => sum + (day[at] as number), 0);
  const versionAt = (at: 0 | 1) => {
    const reviews = perDay(sumDays(2 + 2 * at));
    return {
      version: names[at],
      ...verdictsOf(versions[at]),
      alerts_per_day: perDay(sumDays(1 + 2 * at)),
      reviews_per_day: reviews,
      officers: Math.ceil(
        reviews / (OFFICER.reviewsPerHour * OFFICER.hoursPerDay * OFFICER.utilisation),
      ),
    };
  };
  const labels = totalOf(versions[0].verdicts);
  const [subject, against] = [versionAt(0), versionAt(1)];
  return {
    rows,
    days: days.length,
    frauds: labels[FRAUD],
    legitimates: labels[LEGITIMATE],
    unlabelled: labels[UNLABELLED],
    left_out: listOf(unjudged).map(([model, left]) => ({ cause: `model ${model}`, rows: left })),
    inputs_not_recorded: listOf(missing).map(([input, left]) => ({ input, rows: left })),
    subject,
    against,
    changes: changesOf(counts),
    flips: flipsOf(counts),
    rules: rules.map((rule) => ruleOf(counts, rule)),
    curve: curveOf(versions[0], perDay),
    today: { alerts_per_day: against.alerts_per_day, frauds_caught: caughtOf(versions[1]) },
  };
}

export const perDayOf = (days: number) => (count: number) =>
  days === 0 ? 0 : Math.round((count / days) * DAILY) / DAILY;

const listOf = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts).sort(([left], [right]) => (left < right ? -1 : 1));

export const totalOf = (all: readonly ByLabel[]): ByLabel =>
  all.reduce((sum, count) => [sum[0] + count[0], sum[1] + count[1], sum[2] + count[2]], noRows());

export const rowsIn = (rows: ByLabel) => rows[0] + rows[1] + rows[2];

const caughtOf = ({ verdicts }: VersionCounts) => totalOf(verdicts.slice(1))[FRAUD];

function verdictsOf({ verdicts, points, money }: VersionCounts) {
  return {
    confusion: VERDICTS.map((verdict, at) => ({ verdict, ...byLabel(verdicts[at] as ByLabel) })),
    alerts: rightnessOf(verdicts.slice(1), verdicts.slice(0, 1)),
    declines: rightnessOf(verdicts.slice(2), verdicts.slice(0, 2)),
    auc: aucOf(points),
    average_precision: averagePrecisionOf(points),
    money: Object.entries(money)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([currency, cells]) => ({ currency, ...moneyOf(cells) })),
  };
}

export const byLabel = (counts: ByLabel) => ({
  fraud: counts[FRAUD],
  legitimate: counts[LEGITIMATE],
  unlabelled: counts[UNLABELLED],
});

/** @param cells by verdict and label */
function moneyOf(cells: readonly string[]) {
  const units = (...at: readonly number[]) =>
    decimalOf(at.reduce((sum, cell) => sum + BigInt(cells[cell] ?? '0'), 0n));
  return {
    fraud_missed: units(FRAUD),
    fraud_caught: units(3 + FRAUD, 6 + FRAUD),
    fraud_stopped: units(6 + FRAUD),
    legitimate_stopped: units(6 + LEGITIMATE),
    stopped: units(6, 7, 8),
  };
}

function decimalOf(units: bigint): string {
  const digits = String(units).padStart(PLACES + 1, '0');
  const text = `${digits.slice(0, -PLACES)}.${digits.slice(-PLACES)}`;
  return text.replace(/00$/, '');
}

/** Frauds and good customers that the version in question decides otherwise. */
function changesOf({ flips }: Counts) {
  const count = (is: (from: number, to: number) => boolean, label: number) =>
    flips.reduce(
      (sum, rows, at) => (is(Math.floor(at / 3), at % 3) ? sum + (rows[label] as number) : sum),
      0,
    );
  return {
    frauds_newly_caught: count((from, to) => from === 0 && to > 0, FRAUD),
    frauds_newly_missed: count((from, to) => from > 0 && to === 0, FRAUD),
    legitimate_newly_stopped: count((from, to) => from < 2 && to === 2, LEGITIMATE),
    legitimate_no_longer_stopped: count((from, to) => from === 2 && to < 2, LEGITIMATE),
  };
}

function flipsOf({ flips, examples }: Counts): Report['flips'] {
  return flips.flatMap((rows, at) => {
    const [from, to] = [VERDICTS[Math.floor(at / 3)], VERDICTS[at % 3]];
    if (from === undefined || to === undefined || from === to || rowsIn(rows) === 0) return [];
    const shown = (examples[at] ?? []).map(({ id, corridor, label, points, against }) => ({
      transaction_id: id,
      corridor,
      label,
      score: points,
      score_against: against,
    }));
    return { from, to, rows: rowsIn(rows), ...byLabel(rows), examples: shown };
  });
}

function ruleOf({ rules, pairs }: Counts, { id, code }: Named): Report['rules'][number] {
  const { hits, needed, raised } = rules[id] ?? noRule();
  const overlaps = Object.entries(pairs)
    .flatMap(([pair, rows]) => {
      const [count = '', other = ''] = pair.split(' ');
      return count === id ? { id: other, rows } : other === id ? { id: count, rows } : [];
    })
    .sort((left, right) => right.rows - left.rows || (left.id < right.id ? -1 : 1))
    .slice(0, OVERLAPS_MAX);
  return {
    id,
    code,
    hits: rowsIn(hits),
    ...byLabel(hits),
    precision: shareOf(hits[FRAUD], hits[FRAUD] + hits[LEGITIMATE]),
    without: {
      alerts: rowsIn(needed),
      frauds_caught: needed[FRAUD],
      legitimate: needed[LEGITIMATE],
      verdicts: rowsIn(needed) + rowsIn(raised),
    },
    overlaps: overlaps.map((overlap) => ({ ...overlap, share: overlap.rows / rowsIn(hits) })),
  };
}

/** Rows that a threshold of the points alone would flag. A threshold at which no row lies flags as many as the next one. */
function curveOf({ points }: VersionCounts, perDay: (count: number) => number): Report['curve'] {
  const curve: Report['curve'] = [];
  let above = noRows();
  for (let threshold = SCORE_MAX; threshold > 0; threshold--) {
    const here = points[threshold] as ByLabel;
    if (rowsIn(here) === 0) continue;
    above = totalOf([above, here]);
    curve.push({
      threshold,
      alerts_per_day: perDay(rowsIn(above)),
      frauds_caught: above[FRAUD],
      legitimate: above[LEGITIMATE],
    });
  }
  return curve.reverse();
}

/**
 * Says how right a version flags rows, with 95 % intervals: precision and recall of rows with a label, and F1 as a function of the
 * share of frauds caught among all frauds and false alarms, which gives F1 the interval of that share.
 */
function rightnessOf(flagged: readonly ByLabel[], rest: readonly ByLabel[]) {
  const [, alarms, caught] = totalOf(flagged);
  const missed = totalOf(rest)[FRAUD];
  const share = shareOf(caught, caught + alarms + missed);
  const toF1 = (value: number) => (2 * value) / (1 + value);
  const f1: OutcomeShare | null = share && {
    rows: share.rows,
    value: toF1(share.value),
    low: toF1(share.low),
    high: toF1(share.high),
  };
  return {
    precision: shareOf(caught, caught + alarms),
    recall: shareOf(caught, caught + missed),
    f1,
  };
}

/**
 * Probability that a fraud has more points than a legitimate row, ties counting half, with the interval of DeLong, DeLong and
 * Clarke-Pearson (1988), which counts by points give exactly. Null without both.
 */
export function aucOf(points: readonly ByLabel[]): OutcomeShare | null {
  const [, legitimates, frauds] = totalOf(points);
  if (frauds === 0 || legitimates === 0) return null;
  const [ofFrauds, ofLegitimates] = [createSpread(frauds), createSpread(legitimates)];
  let [fraudsBelow, legitimatesBelow] = [0, 0];
  for (const row of points) {
    const [fraud, legitimate] = [row[FRAUD] as number, row[LEGITIMATE] as number];
    ofFrauds.add((legitimatesBelow + legitimate / 2) / legitimates, fraud);
    ofLegitimates.add(1 - (fraudsBelow + fraud / 2) / frauds, legitimate);
    fraudsBelow += fraud;
    legitimatesBelow += legitimate;
  }
  const value = ofFrauds.mean();
  const half = Z * Math.sqrt(ofFrauds.variance() / frauds + ofLegitimates.variance() / legitimates);
  const [low, high] = [Math.max(0, value - half), Math.min(1, value + half)];
  return { rows: frauds + legitimates, value, low, high };
}

/** Mean, over the frauds, of the precision among rows that have as many points as the fraud or more. Null without frauds. */
export function averagePrecisionOf(points: readonly ByLabel[]): number | null {
  const total = totalOf(points)[FRAUD];
  let [caught, alarms, sum] = [0, 0, 0];
  for (const row of points.toReversed()) {
    caught += row[FRAUD];
    alarms += row[LEGITIMATE];
    if (row[FRAUD] > 0) sum += row[FRAUD] * (caught / (caught + alarms));
  }
  return total === 0 ? null : sum / total;
}

/** Mean and variance of values that are given with their counts. */
function createSpread(count: number) {
  let [total, squares] = [0, 0];
  return {
    add(value: number, times: number) {
      total += value * times;
      squares += value * value * times;
    },
    mean: () => total / count,
    variance: () =>
      count === 1 ? 0 : Math.max(0, squares - (total * total) / count) / (count - 1),
  };
}
