/** Compares verdicts and probabilities with labels that had the time to arrive. */

import { shareOf } from '../../../core/domain/outcome-share.ts';
import type { ScoreOutcome } from '../../../core/store/scores/score-window.ts';
import type { Outcomes } from '../watch-report.ts';

/** A stored score with the label of its transaction. */
export type JudgedScore = Omit<ScoreOutcome, 'model' | 'risk' | 'margin'>;

const CALIBRATION_GROUPS = 10;

export type CalibrationTable = Outcomes['calibration'];

export function measureOutcomes(scores: readonly JudgedScore[]): Omit<Outcomes, 'window'> {
  const labelled = scores.filter(({ isFraud }) => isFraud !== null);
  const frauds = labelled.filter(({ isFraud }) => isFraud === true);
  const sure = labelled.flatMap(({ probability, isFraud }) =>
    probability === null ? [] : { probability, label: isFraud === true ? 1 : 0 },
  );
  const probabilities = sure.map(({ probability }) => probability);
  const labels = sure.map(({ label }) => label);
  const promised = probabilities.reduce((sum, value) => sum + value, 0) / sure.length;
  return {
    rows: scores.length,
    labelled: labelled.length,
    frauds: frauds.length,
    review: rightnessOf(labelled, ({ verdict }) => verdict !== 'approve'),
    decline: rightnessOf(labelled, ({ verdict }) => verdict === 'decline'),
    promised: sure.length === 0 ? null : promised,
    seen: shareOf(frauds.length, labelled.length),
    calibration: calibrationTable(probabilities, labels, CALIBRATION_GROUPS),
    label_delay_seconds: delaysOf(labelled),
  };
}

/** How right it would be to flag rows: frauds among what is flagged and has a label, and flagged ones among the frauds. */
export function rightnessOf<Row extends Pick<JudgedScore, 'isFraud'>>(
  rows: readonly Row[],
  isFlagged: (row: Row) => boolean,
) {
  const flagged = rows.filter(isFlagged);
  const caught = flagged.filter(({ isFraud }) => isFraud === true).length;
  const labelled = flagged.filter(({ isFraud }) => isFraud !== null).length;
  const frauds = rows.filter(({ isFraud }) => isFraud === true).length;
  return { precision: shareOf(caught, labelled), recall: shareOf(caught, frauds) };
}

function delaysOf(labelled: readonly JudgedScore[]): Outcomes['label_delay_seconds'] {
  if (labelled.length === 0) return null;
  const delays = Float64Array.from(labelled, ({ labelDelayMs }) => labelDelayMs ?? 0).sort();
  const rank = (share: number) => (delays[Math.ceil(share * delays.length) - 1] ?? 0) / 1000;
  return { p50: rank(0.5), p90: rank(0.9), p99: rank(0.99) };
}

/** Compares predicted with observed shares of groups of equal size, by rising probability; equal probabilities stay in one group. */
export function calibrationTable(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  groups: number,
): CalibrationTable {
  const rows = Array.from(probabilities, (probability, row) => ({
    probability,
    label: labels[row] ?? 0,
  })).sort((a, b) => a.probability - b.probability);
  const table: CalibrationTable = [];
  let start = 0;
  for (let group = 1; group <= groups; group++) {
    let end = Math.max(start, Math.round((rows.length * group) / groups));
    while (end > start && end < rows.length && isTie(rows[end - 1], rows[end])) end++;
    if (end === start) continue;
    const own = rows.slice(start, end);
    const mean = (of: 'probability' | 'label') =>
      own.reduce((sum, row) => sum + row[of], 0) / own.length;
    table.push({ rows: own.length, promised: mean('probability'), seen: mean('label') });
    start = end;
  }
  return table;
}

type Row = { readonly probability: number };
const isTie = (row: Row | undefined, next: Row | undefined) =>
  row?.probability === next?.probability;
