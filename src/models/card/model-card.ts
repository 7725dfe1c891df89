/**
 * What somebody who approves a model must know of it: the data, the figures on a later week, what it
 * leans on, whether its probabilities come true. JSON as it stands; in Markdown for people.
 */
import type { Calibration } from '../../domain/calibration.ts';
import type { Bands } from '../evaluation/bands.ts';
import type { Interval } from '../evaluation/bootstrap.ts';
import type { CalibrationGroup } from '../evaluation/calibration-table.ts';
import type { Importance } from './importance.ts';
import type { SegmentFigures } from './segments.ts';

export type ModelCard = {
  /** `name@version`. */
  readonly id: string;
  readonly kind: 'trees' | 'logistic';
  readonly sha256: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly codeVersion: string;
  /** The model it is to replace. */
  readonly parent: string | null;
  readonly featureSchema: number;
  readonly seed: string;
  /** Settings of the trainer. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly training: DataWindow;
  /** Null when nothing was held back; then there are no figures. */
  readonly validation: DataWindow | null;
  /** On the validation window, by name. */
  readonly figures: Readonly<Record<string, Figure>>;
  readonly calibration: Calibration | null;
  readonly calibrationTable: readonly CalibrationGroup[];
  readonly bands: Bands | null;
  readonly importance: readonly Importance[];
  /** By what the segments are of, such as `corridor`; at the bound of review. */
  readonly segments: Readonly<Record<string, readonly SegmentFigures[]>>;
};

export type DataWindow = {
  /** Dates, UTC, both inclusive. */
  readonly from: string;
  readonly to: string;
  /** Labels known by this time were used; RFC 3339. */
  readonly knownBy: string;
  readonly rows: number;
  readonly frauds: number;
};

export type Figure = Interval & { readonly value: number };

/** Features a reader is shown; the JSON has all. */
const FEATURES_SHOWN = 20;

export function renderCard(card: ModelCard): string {
  const { validation, calibration, bands } = card;
  const parts = [
    `# ${card.id}`,
    `A ${card.kind} model, trained ${card.createdAt} by version ${card.codeVersion} with seed \`${card.seed}\` ` +
      `on feature schema ${card.featureSchema}. Parent: ${card.parent ?? 'none'}. SHA-256 \`${card.sha256}\`.`,
    '## Data',
    table(
      ['window', 'from', 'to', 'labels known by', 'rows', 'frauds', 'share'],
      [
        windowRow('training', card.training),
        ...(validation ? [windowRow('validation', validation)] : []),
      ],
    ),
    '## Figures',
    validation === null
      ? 'Nothing was held back, so there are none.'
      : table(
          ['figure', 'value', 'from', 'to'],
          Object.entries(card.figures).map(([name, { value, low, high }]) => [
            name,
            ...[value, low, high].map(decimals),
          ]),
        ),
    'From and to bound 95 % of the resampled figures.',
    '## Calibration',
    calibration === null
      ? 'None: probabilities are those of the format.'
      : `By ${calibration.kind}.`,
    table(
      ['transactions', 'promised', 'seen'],
      card.calibrationTable.map(({ rows, promised, seen }) => [
        rows,
        decimals(promised),
        decimals(seen),
      ]),
    ),
    '## Bands',
    bands === null
      ? 'None.'
      : `Review from ${decimals(bands.reviewFrom)}, decline from ${decimals(bands.declineFrom)}.`,
    '## Features',
    table(
      ['feature', 'importance'],
      card.importance.slice(0, FEATURES_SHOWN).map(({ name, share }) => [name, percent(share)]),
    ),
    ...Object.entries(card.segments).flatMap(([of, figures]) => [
      `## By ${of}`,
      table(
        [of, 'rows', 'frauds', 'flagged', 'false alarms', 'caught'],
        figures.map(({ segment, rows, frauds, flagged, falseAlarms, caught }) => [
          ...[segment, rows, frauds, percent(flagged)],
          ...[falseAlarms, caught].map((share) => (share === null ? '' : percent(share))),
        ]),
      ),
    ]),
    '## Settings',
    table(
      ['setting', 'value'],
      Object.entries(card.options).map(([name, value]) => [name, JSON.stringify(value)]),
    ),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function windowRow(name: string, { from, to, knownBy, rows, frauds }: DataWindow) {
  return [name, from, to, knownBy, rows, frauds, percent(frauds / rows)];
}

/** Empty without rows. A name with a bar must not become two cells. */
function table(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => String(cell).replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(heads), `|${heads.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

function decimals(value: number): string {
  return value.toFixed(4);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`;
}
