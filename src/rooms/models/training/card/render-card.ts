/** A model's card in Markdown, for people. */

import type { Calibration } from '../../model/calibration.ts';
import type { ModelReference } from '../../model-record.ts';
import type { CalibrationTable } from '../../watch/measure-outcomes.ts';
import type { Bands, BandsRule } from '../bands.ts';
import type { Interval } from '../evaluation/bootstrap.ts';
import type { Importance } from '../fit-artefact.ts';

/** Features that the Markdown shows; the JSON has all. */
const FEATURES_SHOWN = 20;

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

type Figure = Interval & { readonly value: number };

/** Segments that a card names; the rest are joined into one, so that the card stays readable. */
const SEGMENTS_MAX = 100;
const OTHERS = 'others';

type Tally = { rows: number; frauds: number; alarms: number; caught: number };

export function renderCard(card: ModelCard): string {
  const parts = [
    `# ${card.id}`,
    describeOrigin(card),
    '## Data',
    renderData(card),
    '## Figures',
    renderFigures(card),
    '## Calibration',
    describeCalibration(card),
    renderCalibration(card),
    '## Bands',
    describeBands(card),
    '## Features',
    table(
      ['feature', 'importance'],
      card.importance.slice(0, FEATURES_SHOWN).map(({ name, share }) => [name, percent(share)]),
    ),
    ...renderSegments(card),
    '## Settings',
    table(
      ['setting', 'value'],
      Object.entries(card.options).map(([name, value]) => [name, JSON.stringify(value)]),
    ),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function describeOrigin(card: ModelCard): string {
  const size = `${card.size} ${card.kind === 'trees' ? 'trees' : 'weights'}`;
  return [
    `A ${card.kind} model of ${size}, trained ${card.createdAt} by version ${card.codeVersion}`,
    `with seed \`${card.seed}\` on feature schema ${card.featureSchema}.`,
    `Parent: ${card.parent ?? 'none'}. SHA-256 \`${card.sha256}\`.`,
  ].join(' ');
}

function renderData({ training, validation }: ModelCard): string {
  const heads = ['window', 'from', 'to', 'labels known by', 'rows', 'frauds', 'share'];
  return table(
    [...heads, 'unlabelled'],
    [
      windowRow('training', training),
      ...(validation === null ? [] : [windowRow('validation', validation)]),
    ],
  );
}

function windowRow(name: string, window: DataWindow) {
  const { from, to, knownBy, rows, frauds, unlabelled, unlabelledAs } = window;
  const fate = unlabelledAs === 'skip' ? 'left out' : 'as legitimate';
  return [
    name,
    from,
    to,
    knownBy,
    rows,
    frauds,
    percent(frauds / rows),
    unlabelled === 0 ? 0 : `${unlabelled} ${fate}`,
  ];
}

function renderFigures({ validation, figures }: ModelCard): string {
  if (validation === null) return 'Nothing was held back, so there are none.';
  const rows = Object.entries(figures).map(([name, { value, low, high }]) => [
    name,
    ...[value, low, high].map(decimals),
  ]);
  const note = 'From and to bound 95 % of the figures of resampled accounts.';
  return `${table(['figure', 'value', 'from', 'to'], rows)}\n\n${note}`;
}

function describeCalibration({ calibration, validation }: ModelCard): string {
  if (calibration === null) return 'None: probabilities are those of the format.';
  return validation === null
    ? `By ${calibration.kind}, cross-fitted: each half of the training accounts by a model of the other half.`
    : `By ${calibration.kind}, fitted to the validation window.`;
}

function renderCalibration({ calibrationTable }: ModelCard): string {
  return table(
    ['transactions', 'promised', 'seen'],
    calibrationTable.map(({ rows, promised, seen }) => [rows, decimals(promised), decimals(seen)]),
  );
}

function describeBands({ bands, bandsRule }: ModelCard): string {
  if (bands === null) return 'None.';
  const bounds = [bands.reviewFrom, bands.declineFrom].map((bound) =>
    bound > 1 ? 'never' : `from ${decimals(bound)}`,
  );
  return `${describeRule(bandsRule)}: review ${bounds[0]}, decline ${bounds[1]}.`;
}

function describeRule(rule: BandsRule): string {
  switch (rule.by) {
    case 'share':
      return `For ${percent(rule.reviews)} of the transactions to review and ${percent(rule.declines)} to decline`;
    case 'budget':
      return `For ${rule.reviewsADay} reviews and ${rule.declinesADay} declines a day`;
    case 'costs':
      return `For the least cost by ${JSON.stringify(rule.costs)}`;
  }
}

function renderSegments({ segments }: ModelCard): string[] {
  return Object.entries(segments).flatMap(([of, figures]) => [
    `## By ${of}`,
    table(
      [of, 'rows', 'frauds', 'flagged', 'false alarms', 'caught'],
      figures.map(({ segment, rows, frauds, flagged, falseAlarms, caught }) => [
        segment,
        rows,
        frauds,
        percent(flagged),
        ...[falseAlarms, caught].map((share) => (share === null ? '' : percent(share))),
      ]),
    ),
  ]);
}

/** Empty text without rows. A name with a bar is escaped, as it would end its cell. */
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

/**
 * Facts that a person who approves a model must know: the data, the figures on a later week, the importance of
 * features, the calibration. Stored as this JSON.
 * A model's figures for parts of the transactions, such as corridors or countries: who is flagged, which frauds
 * are caught.
 * @param segments one name a row; @returns the largest first, those beyond SEGMENTS_MAX as `others`
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
    /** Share of the legitimate rows at or above it; null without any. */
    falseAlarms: rows > frauds ? alarms / (rows - frauds) : null,
    /** Share of the frauds at or above it; null without any. */
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
