/** Compares verdicts and probabilities with labels that had the time to arrive. */

import { shareOf } from '../../../core/domain/outcome-share.ts';
import type { Verdict } from '../../../core/domain/score-record.ts';
import type { Outcomes } from '../watch-report.ts';
import { calibrationTable } from './calibration-table.ts';

/** A stored score with the label of its transaction. */
export type JudgedScore = {
  readonly verdict: Verdict;
  /** Null where no model decided. */
  readonly probability: number | null;
  /** The current label; null while there is none. */
  readonly isFraud: boolean | null;
  /** From created_at to labelled_at of that label. */
  readonly labelDelayMs: number | null;
};

const CALIBRATION_GROUPS = 10;

export function measureOutcomes(scores: readonly JudgedScore[]): Omit<Outcomes, 'window'> {
  const labelled = scores.filter(({ isFraud }) => isFraud !== null);
  const frauds = labelled.filter(({ isFraud }) => isFraud === true);
  const sure = labelled.flatMap(({ probability, isFraud }) =>
    probability === null ? [] : [{ probability, label: isFraud === true ? 1 : 0 }],
  );
  const probabilities = Float64Array.from(sure, ({ probability }) => probability);
  const labels = Uint8Array.from(sure, ({ label }) => label);
  const promised = probabilities.reduce((sum, value) => sum + value, 0) / sure.length;
  return {
    rows: scores.length,
    labelled: labelled.length,
    frauds: frauds.length,
    review: boundOf(labelled, frauds, ({ verdict }) => verdict !== 'approve'),
    decline: boundOf(labelled, frauds, ({ verdict }) => verdict === 'decline'),
    promised: sure.length === 0 ? null : promised,
    seen: shareOf(frauds.length, labelled.length),
    calibration: calibrationTable(probabilities, labels, CALIBRATION_GROUPS),
    label_delay_seconds: delaysOf(labelled),
  };
}

function boundOf(
  labelled: readonly JudgedScore[],
  frauds: readonly JudgedScore[],
  isFlagged: (score: JudgedScore) => boolean,
): Outcomes['review'] {
  const caught = frauds.filter(isFlagged).length;
  return {
    precision: shareOf(caught, labelled.filter(isFlagged).length),
    recall: shareOf(caught, frauds.length),
  };
}

function delaysOf(labelled: readonly JudgedScore[]): Outcomes['label_delay_seconds'] {
  if (labelled.length === 0) return null;
  const delays = Float64Array.from(labelled, ({ labelDelayMs }) => labelDelayMs ?? 0).sort();
  const rank = (share: number) => (delays[Math.ceil(share * delays.length) - 1] ?? 0) / 1000;
  return { p50: rank(0.5), p90: rank(0.9), p99: rank(0.99) };
}
