/** Figures of counts with their 95 % intervals. */
import { type OutcomeShare, shareOf } from '../../../core/domain/outcome-share.ts';
import { type ByLabel, FRAUD, LEGITIMATE } from './counts.ts';

/** Standard deviations that hold 95 % of a normal distribution. */
const Z = 1.959964;

const sum = (rows: readonly ByLabel[], label: number) =>
  rows.reduce((total, one) => total + (one[label] as number), 0);

/**
 * How right it is to flag some rows and no others: precision and recall of those with a label, and F1 as a function of the
 * share of frauds caught among all frauds and false alarms, which gives F1 the interval of that share.
 */
export function rightnessOf(flagged: readonly ByLabel[], rest: readonly ByLabel[]) {
  const [caught, alarms] = [sum(flagged, FRAUD), sum(flagged, LEGITIMATE)];
  const missed = sum(rest, FRAUD);
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
  const [frauds, legitimates] = [sum(points, FRAUD), sum(points, LEGITIMATE)];
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
