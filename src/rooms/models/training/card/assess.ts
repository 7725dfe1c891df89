/** Evaluates a model on its validation window: all measured figures of its card. */

import { calibrate, chooseCalibration } from '../../model/evaluation/calibration.ts';
import type { Calibration } from '../../model/evaluation/calibration-json.ts';
import { calibrationTable } from '../../model/evaluation/calibration-table.ts';
import { logLoss } from '../../model/evaluation/log-loss.ts';
import type { Random } from '../../model/random.ts';
import { accountPrecision } from '../evaluation/account-precision.ts';
import type { Bands, ChooseBands } from '../evaluation/bands.ts';
import { bootstrapIntervals } from '../evaluation/bootstrap.ts';
import {
  aucOf,
  averagePrecisionOf,
  recallAtFalseAlarmRate,
  thresholdsOf,
} from '../evaluation/ranking.ts';
import type { Figure, ModelCard } from './model-card.ts';
import { segmentFigures } from './segments.ts';

/** Rows in time order that the model was not trained on, at least two frauds among them. */
type AssessedRows = {
  readonly margins: Float64Array;
  /** 1 for fraud. */
  readonly labels: Uint8Array;
  /** Any numbers that tell accounts and days apart. */
  readonly accounts: Int32Array;
  readonly days: Int32Array;
  /** Segments: a name per row, such as its corridor. */
  readonly segments: Readonly<Record<string, readonly string[]>>;
};

type Assessment = CalibrationAssessment & Pick<ModelCard, 'figures' | 'segments'>;

type CalibrationAssessment = Pick<ModelCard, 'calibrationTable'> & {
  readonly calibration: Calibration;
  readonly bands: Bands;
  /** Calibrated probabilities, one a row. */
  readonly probabilities: Float64Array;
};

/** Accounts that a small team can look at in a day, as in the card precision of the literature. */
const ACCOUNTS_A_DAY = 100;
const FALSE_ALARM_RATE = 0.01;
/** Draws that give a 95 % interval to a tenth of its width. */
const BOOTSTRAP_DRAWS = 200;
const CALIBRATION_GROUPS = 10;

/** Compares margins of rows that the model was not trained on with their labels. */
export function assessCalibration(
  { margins, labels }: Pick<AssessedRows, 'margins' | 'labels'>,
  bandsFor: ChooseBands,
): CalibrationAssessment {
  const { heldOut, ...rest } = assessHeldOut(margins, labels, bandsFor);
  return rest;
}

function assessHeldOut(margins: Float64Array, labels: Uint8Array, bandsFor: ChooseBands) {
  const { calibration, heldOut } = chooseCalibration(margins, labels);
  const probabilities = margins.map((margin) => calibrate(calibration, margin));
  const bands = bandsFor(probabilities);
  const table = calibrationTable(heldOut, labels, CALIBRATION_GROUPS);
  return { calibration, heldOut, probabilities, bands, calibrationTable: table };
}

export function assess(rows: AssessedRows, bandsFor: ChooseBands, random: Random): Assessment {
  const { margins, labels } = rows;
  const { heldOut, ...calibrated } = assessHeldOut(margins, labels, bandsFor);
  const { probabilities, bands } = calibrated;
  const byAccount = rowsByAccount(rows.accounts);
  const figuresOf = (drawn: Int32Array) => measure(rows, heldOut, byAccount, drawn);
  const intervals = bootstrapIntervals(byAccount.length, figuresOf, BOOTSTRAP_DRAWS, random);
  const values = Object.entries(figuresOf(Int32Array.from(byAccount.keys())));
  const figures = values.map(([name, value]): [string, Figure] => {
    const interval = intervals[name as keyof typeof intervals];
    return [name, { value, ...interval }];
  });
  const segments = Object.entries(rows.segments).map(([of, names]) => [
    of,
    segmentFigures(probabilities, labels, names, bands.reviewFrom),
  ]);
  return {
    ...calibrated,
    figures: Object.fromEntries(figures),
    segments: Object.fromEntries(segments),
  };
}

/** Row indexes of each account; accounts in rising order. */
function rowsByAccount(accounts: Int32Array): Int32Array[] {
  const found = new Map<number, number[]>();
  for (const [row, account] of accounts.entries()) {
    const rows = found.get(account) ?? [];
    if (rows.length === 0) found.set(account, rows);
    rows.push(row);
  }
  return [...found].sort(([a], [b]) => a - b).map(([, rows]) => Int32Array.from(rows));
}

/** Figures of the accounts with these indexes; one that is drawn twice counts as two accounts. */
function measure(
  rows: AssessedRows,
  heldOut: Float64Array,
  byAccount: readonly Int32Array[],
  drawn: Int32Array,
) {
  const size = drawn.reduce((sum, account) => sum + (byAccount[account]?.length ?? 0), 0);
  const order = new Int32Array(size);
  const accounts = new Int32Array(size);
  let at = 0;
  for (const [place, account] of drawn.entries()) {
    const own = byAccount[account] ?? new Int32Array(0);
    order.set(own, at);
    accounts.fill(place, at, at + own.length);
    at += own.length;
  }
  const scores = Float64Array.from(order, (row) => rows.margins[row] ?? Number.NaN);
  const labels = Uint8Array.from(order, (row) => rows.labels[row] ?? 0);
  const days = Int32Array.from(order, (row) => rows.days[row] ?? 0);
  const probabilities = Float64Array.from(order, (row) => heldOut[row] ?? Number.NaN);
  const thresholds = thresholdsOf({ scores, labels });
  return {
    auc: aucOf(thresholds),
    average_precision: averagePrecisionOf(thresholds),
    recall_at_1_percent: recallAtFalseAlarmRate(thresholds, FALSE_ALARM_RATE),
    account_precision_100: accountPrecision({ scores, labels, accounts, days }, ACCOUNTS_A_DAY),
    log_loss: logLoss(probabilities, labels),
  };
}
