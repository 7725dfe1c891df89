/** Evaluates a model on its validation window: all measured figures of its card. */
import type { Random } from '../../../../kit/random.ts';
import { calibrate } from '../../model/calibration.ts';
import { calibrationTable } from '../../watch/measure-outcomes.ts';
import type { ChooseBands } from '../bands.ts';
import { bootstrapIntervals } from '../evaluation/bootstrap.ts';
import {
  accountPrecision,
  aucOf,
  averagePrecisionOf,
  logLoss,
  recallAtFalseAlarmRate,
  thresholdsOf,
} from '../evaluation/ranking.ts';
import { fitPlatt, holdOut } from '../fit-calibration.ts';
import type { LabelledRows } from '../rows.ts';
import { type ModelCard, segmentFigures } from './model-card.ts';

/** Rows in time order that the model was not trained on, at least two frauds among them. */
type AssessedRows = Pick<LabelledRows, 'labels' | 'accounts' | 'days' | 'segments'> & {
  readonly margins: Float64Array;
};

/** Accounts that a small team can look at in a day, as in the card precision of the literature. */
const ACCOUNTS_A_DAY = 100;
const FALSE_ALARM_RATE = 0.01;
/** Draws that give a 95 % interval to a tenth of its width. */
const BOOTSTRAP_DRAWS = 200;
const CALIBRATION_GROUPS = 10;

/** Compares margins of rows that the model was not trained on with their labels. */
export function assessCalibration(
  margins: Float64Array,
  labels: Uint8Array,
  bandsFor: ChooseBands,
) {
  const calibration = fitPlatt(margins, labels);
  const holdout = holdOut(margins, labels);
  const probabilities = margins.map((margin) => calibrate(calibration, margin));
  const bands = bandsFor(probabilities);
  const table = calibrationTable(holdout, labels, CALIBRATION_GROUPS);
  return { calibration, holdout, probabilities, bands, calibrationTable: table };
}

export function assess(
  rows: AssessedRows,
  bandsFor: ChooseBands,
  random: Random,
): Omit<ReturnType<typeof assessCalibration>, 'holdout'> & Pick<ModelCard, 'figures' | 'segments'> {
  const { margins, labels } = rows;
  const { holdout, ...calibrated } = assessCalibration(margins, labels, bandsFor);
  const { probabilities, bands } = calibrated;
  const byAccount = rowsByAccount(rows.accounts);
  const figuresOf = (drawn: Int32Array) => measure(rows, holdout, byAccount, drawn);
  const intervals = bootstrapIntervals(byAccount.length, figuresOf, BOOTSTRAP_DRAWS, random);
  const values = figuresOf(Int32Array.from(byAccount.keys()));
  const figures = Object.entries(intervals).map(([name, interval]) => [
    name,
    { value: values[name as keyof typeof values], ...interval },
  ]);
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
  const rows = Map.groupBy(accounts.keys(), (row) => accounts[row] ?? 0);
  return [...rows].sort(([a], [b]) => a - b).map(([, own]) => Int32Array.from(own));
}

/** Figures of the accounts with these indexes; one that is drawn twice counts as two accounts. */
function measure(
  rows: AssessedRows,
  holdout: Float64Array,
  byAccount: readonly Int32Array[],
  drawn: Int32Array,
) {
  const size = drawn.reduce((sum, account) => sum + (byAccount[account]?.length ?? 0), 0);
  const order = new Int32Array(size);
  const accounts = new Int32Array(size);
  let at = 0;
  for (const [unit, account] of drawn.entries()) {
    const own = byAccount[account] ?? new Int32Array(0);
    order.set(own, at);
    accounts.fill(unit, at, at + own.length);
    at += own.length;
  }
  const scores = Float64Array.from(order, (row) => rows.margins[row] ?? Number.NaN);
  const labels = Uint8Array.from(order, (row) => rows.labels[row] ?? 0);
  const days = Int32Array.from(order, (row) => rows.days[row] ?? 0);
  const probabilities = Float64Array.from(order, (row) => holdout[row] ?? Number.NaN);
  const thresholds = thresholdsOf({ scores, labels });
  return {
    auc: aucOf(thresholds),
    average_precision: averagePrecisionOf(thresholds),
    recall_at_1_percent: recallAtFalseAlarmRate(thresholds, FALSE_ALARM_RATE),
    account_precision_100: accountPrecision({ scores, labels, accounts, days }, ACCOUNTS_A_DAY),
    log_loss: logLoss(probabilities, labels),
  };
}
