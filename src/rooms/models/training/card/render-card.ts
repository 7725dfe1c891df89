/** A model's card in Markdown, for people. */
import type { BandsRule } from '../bands.ts';
import type { DataWindow, ModelCard } from './model-card.ts';

/** Features that the Markdown shows; the JSON has all. */
const FEATURES_SHOWN = 20;

export function renderCard(card: ModelCard): string {
  const parts = [
    `# ${card.id}`,
    describeOrigin(card),
    ...['## Data', renderData(card)],
    ...['## Figures', renderFigures(card)],
    ...['## Calibration', describeCalibration(card), renderCalibration(card)],
    ...['## Bands', describeBands(card)],
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
    ...[name, from, to, knownBy, rows, frauds, percent(frauds / rows)],
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
        ...[segment, rows, frauds, percent(flagged)],
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
