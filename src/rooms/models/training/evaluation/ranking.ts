/**
 * How well scores rank frauds above the rest. Equal scores are one threshold, as they cannot be flagged apart.
 */
import { naturalLog } from '../../../../kit/elementary-functions.ts';

/** Higher is riskier. No NaN. `labels` is 1 for fraud, 0 for legitimate. */
export type Scored = { readonly scores: ArrayLike<number>; readonly labels: ArrayLike<number> };

export type Thresholds = ReturnType<typeof thresholdsOf>;

/** `accounts` and `days` are any numbers that tell accounts and days apart; one a row. */
type ScoredByDay = Scored & {
  readonly accounts: ArrayLike<number>;
  readonly days: ArrayLike<number>;
};

type AccountDay = { readonly account: number; score: number; fraud: boolean };

/** Every distinct score in falling order, with the counts flagged at it and above. */
export function thresholdsOf({ scores, labels }: Scored) {
  const rows = scores.length;
  const all = Float64Array.from(scores).sort();
  const ofFrauds = all.slice(0, rows);
  let frauds = 0;
  for (let row = 0; row < rows; row++) {
    if (labels[row] === 1) ofFrauds[frauds++] = scores[row] ?? Number.NaN;
  }
  const sortedFrauds = ofFrauds.subarray(0, frauds).sort();
  const values = new Float64Array(rows);
  const caught = new Int32Array(rows);
  const falseAlarms = new Int32Array(rows);
  let count = 0;
  let above = rows;
  let fraudsAbove = frauds;
  while (above > 0) {
    const value = all[above - 1] ?? 0;
    while (above > 0 && all[above - 1] === value) above--;
    while (fraudsAbove > 0 && sortedFrauds[fraudsAbove - 1] === value) fraudsAbove--;
    values[count] = value;
    caught[count] = frauds - fraudsAbove;
    falseAlarms[count] = rows - above - (frauds - fraudsAbove);
    count++;
  }
  return {
    frauds,
    legitimates: rows - frauds,
    scores: values.subarray(0, count),
    /** Frauds among the flagged. */
    caught: caught.subarray(0, count),
    /** Legitimates among the flagged. */
    falseAlarms: falseAlarms.subarray(0, count),
  };
}

/** Probability that a fraud ranks above a legitimate one, ties counting half. NaN without both. */
export function aucOf({ frauds, legitimates, caught, falseAlarms }: Thresholds): number {
  let area = 0;
  let caughtBefore = 0;
  let alarmsBefore = 0;
  for (let at = 0; at < caught.length; at++) {
    const caughtHere = caught[at] ?? 0;
    const alarmsHere = falseAlarms[at] ?? 0;
    area += ((alarmsHere - alarmsBefore) * (caughtBefore + caughtHere)) / 2;
    caughtBefore = caughtHere;
    alarmsBefore = alarmsHere;
  }
  return area / (frauds * legitimates);
}

/** Area under the precision-recall curve: the sum of (recall − recall before) · precision over thresholds. NaN without frauds. */
export function averagePrecisionOf({ frauds, caught, falseAlarms }: Thresholds): number {
  let sum = 0;
  let caughtBefore = 0;
  for (let at = 0; at < caught.length; at++) {
    const caughtHere = caught[at] ?? 0;
    const flagged = caughtHere + (falseAlarms[at] ?? 0);
    sum += (caughtHere - caughtBefore) * (caughtHere / flagged);
    caughtBefore = caughtHere;
  }
  return sum / frauds;
}

/** Share of frauds caught at the lowest threshold whose share of false alarms is within a bound. */
export function recallAtFalseAlarmRate(thresholds: Thresholds, rateMax: number): number {
  const { frauds, legitimates, caught, falseAlarms } = thresholds;
  let recall = 0;
  for (let at = 0; at < caught.length; at++) {
    if ((falseAlarms[at] ?? 0) > rateMax * legitimates) break;
    recall = (caught[at] ?? 0) / frauds;
  }
  return recall;
}

/** Clamps to 1e-15, so that one wrong certainty cannot dominate the loss. */
const PROBABILITY_MIN = 1e-15;

/** Mean of -ln of the probability given to the outcome, in nats. `labels` is 1 for fraud. */
export function logLoss(probabilities: ArrayLike<number>, labels: ArrayLike<number>): number {
  let sum = 0;
  for (let row = 0; row < labels.length; row++) {
    const probability = probabilities[row] ?? Number.NaN;
    const given = labels[row] === 1 ? probability : 1 - probability;
    sum -= naturalLog(Math.max(given, PROBABILITY_MIN));
  }
  return sum / labels.length;
}

/**
 * Precision of a team that looks at a fixed number of accounts a day (card precision @ k of the fraud detection
 * literature).
 * Every day the accounts are ranked by their highest score and the first `accountsADay` are looked at;
 * the share of them with a fraud that day, as the mean over the days. An account that was found is not
 * looked at on later days. Equal scores: the lower account number first.
 */
export function accountPrecision(scored: ScoredByDay, accountsADay: number): number {
  const found = new Set<number>();
  const days = byDay(scored);
  let sum = 0;
  for (const accounts of days) {
    const ranked = accounts
      .filter(({ account }) => !found.has(account))
      .sort((a, b) => b.score - a.score || a.account - b.account)
      .slice(0, accountsADay);
    const hits = ranked.filter(({ fraud }) => fraud);
    for (const { account } of hits) found.add(account);
    sum += hits.length / accountsADay;
  }
  return sum / days.length;
}

/** Each day's accounts with their highest score; days in rising order. */
function byDay({ scores, labels, accounts, days }: ScoredByDay): AccountDay[][] {
  const found = new Map<number, Map<number, AccountDay>>();
  for (let row = 0; row < scores.length; row++) {
    const day = days[row] ?? 0;
    const account = accounts[row] ?? 0;
    const ofDay = found.get(day) ?? new Map<number, AccountDay>();
    found.set(day, ofDay);
    const known = ofDay.get(account) ?? { account, score: Number.NEGATIVE_INFINITY, fraud: false };
    known.score = Math.max(known.score, scores[row] ?? Number.NEGATIVE_INFINITY);
    known.fraud ||= labels[row] === 1;
    ofDay.set(account, known);
  }
  return [...found].sort(([a], [b]) => a - b).map(([, ofDay]) => [...ofDay.values()]);
}
