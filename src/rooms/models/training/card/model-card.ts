/** Facts that a person who approves a model must know: the data, the figures on a later week, the importance of features, the calibration. */

import type { Calibration } from '../../model/calibration.ts';
import type { ModelReference } from '../../model-record.ts';
import type { CalibrationTable } from '../../watch/measure-outcomes.ts';
import type { Bands, BandsRule } from '../bands.ts';
import type { Interval } from '../evaluation/bootstrap.ts';
import type { Importance } from '../fit-artefact.ts';

/** The card is stored as this JSON. */
export type ModelCard = {
  /** `name@version`. */
  readonly id: string;
  readonly kind: 'trees' | 'logistic';
  readonly sha256: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly codeVersion: string;
  /** The model that this model is to replace. */
  readonly parent: string | null;
  readonly featureSchema: number;
  readonly seed: string;
  /** Settings of the trainer. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Trees that were kept, or features with a weight. */
  readonly size: number;
  readonly training: DataWindow;
  /** Null when nothing was held back; then there are no figures. */
  readonly validation: DataWindow | null;
  /** Figures on the validation window, by name. */
  readonly figures: Readonly<Record<string, Figure>>;
  /** Fitted to the validation window, or to cross-fitted rows of the training window. */
  readonly calibration: Calibration | null;
  readonly calibrationTable: CalibrationTable;
  readonly bands: Bands | null;
  readonly bandsRule: BandsRule;
  readonly importance: readonly Importance[];
  /** Figures by segment, such as `corridor`, at the bound of review. */
  readonly segments: Readonly<Record<string, ReturnType<typeof segmentFigures>>>;
  /** Distributions that later traffic is compared with. */
  readonly reference: ModelReference;
};

export type DataWindow = {
  /** Dates, UTC, both inclusive. */
  readonly from: string;
  readonly to: string;
  /** Time by which a label had to be known to be used; RFC 3339. */
  readonly knownBy: string;
  /** Rows used. */
  readonly rows: number;
  readonly frauds: number;
  /** Rows without a label at `knownBy`; used as legitimate, or left out. */
  readonly unlabelled: number;
  readonly unlabelledAs: 'legitimate' | 'skip';
};

type Figure = Interval & { readonly value: number };

/** Segments that a card names; the rest are joined into one, so that the card stays readable. */
const SEGMENTS_MAX = 100;
const OTHERS = 'others';

type Tally = { rows: number; frauds: number; alarms: number; caught: number };

/**
 * Computes a model's figures for parts of the transactions, such as corridors or countries: who is flagged, which frauds
 * are caught.
 * @param segments a name for each row @returns the largest segment first, segments beyond SEGMENTS_MAX as `others`
 */
export function segmentFigures(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  segments: readonly string[],
  threshold: number,
) {
  const tallies = new Map<string, Tally>();
  for (const [row, segment] of segments.entries()) {
    const tally = tallies.get(segment) ?? { rows: 0, frauds: 0, alarms: 0, caught: 0 };
    tallies.set(segment, tally);
    const fraud = labels[row] === 1;
    const flagged = (probabilities[row] ?? 0) >= threshold;
    tally.rows++;
    if (fraud) tally.frauds++;
    if (flagged && fraud) tally.caught++;
    if (flagged && !fraud) tally.alarms++;
  }
  return largest(tallies).map(([segment, { rows, frauds, alarms, caught }]) => ({
    segment,
    rows,
    frauds,
    /** Share of the rows at or above the threshold. */
    flagged: (alarms + caught) / rows,
    /** Share of the legitimate rows at or above the threshold; null without legitimate rows. */
    falseAlarms: rows > frauds ? alarms / (rows - frauds) : null,
    /** Share of the frauds at or above the threshold; null without frauds. */
    caught: frauds > 0 ? caught / frauds : null,
  }));
}

function largest(tallies: ReadonlyMap<string, Tally>): [string, Tally][] {
  const sorted = [...tallies].sort(
    ([a, { rows }], [b, other]) => other.rows - rows || (a < b ? -1 : 1),
  );
  const rest = sorted.splice(SEGMENTS_MAX).map(([, tally]) => tally);
  if (rest.length === 0) return sorted;
  const sum = (of: keyof Tally) => rest.reduce((total, tally) => total + tally[of], 0);
  const others = {
    rows: sum('rows'),
    frauds: sum('frauds'),
    alarms: sum('alarms'),
    caught: sum('caught'),
  };
  return [...sorted, [OTHERS, others]];
}
