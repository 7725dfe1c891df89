/**
 * Facts that a person who approves a model must know: the data, the figures on a later week, the importance of
 * features, the calibration. Stored as this JSON.
 */
import type { Calibration } from '../../model/calibration.ts';
import type { ModelReference } from '../../model-reference.ts';
import type { CalibrationTable } from '../../watch/calibration-table.ts';
import type { Bands, BandsRule } from '../bands.ts';
import type { Interval } from '../evaluation/bootstrap.ts';
import type { Importance } from '../fit-artefact.ts';
import type { segmentFigures } from './segments.ts';

export type ModelCard = {
  /** `name@version`. */
  readonly id: string;
  readonly kind: 'trees' | 'logistic';
  readonly sha256: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly codeVersion: string;
  /** The model that it is to replace. */
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
  /** Labels known by this time were used; RFC 3339. */
  readonly knownBy: string;
  /** Rows used. */
  readonly rows: number;
  readonly frauds: number;
  /** Rows without a label known by then; used as legitimate, or left out. */
  readonly unlabelled: number;
  readonly unlabelledAs: 'legitimate' | 'skip';
};

export type Figure = Interval & { readonly value: number };
