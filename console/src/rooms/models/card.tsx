/** A model's card as plots: how good it was on the window that it was not trained on, and what it leans on. */
import { useMemo } from 'react';
import type { ModelDetail } from '../../../../src/kit/client/api-types.ts';
import { count, number, percent } from '../../format.ts';
import { Bars } from '../../parts/bars.tsx';
import { Curve } from '../../parts/curve.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Interval } from '../../parts/interval.tsx';
import { Part } from '../../parts/page.tsx';
import { Empty } from '../../parts/states.tsx';
import { CalibrationCurve } from './calibration-curve.tsx';
import { type Card, type Figure, readCard, type Segment } from './read-card.ts';

/** Names of figures, and whether they are shares, which fit a bar. */
const FIGURES: Readonly<Record<string, readonly [name: string, meaning: string]>> = {
  average_precision: [
    'Average precision',
    'area under the precision-recall curve, Σ (Rₙ − Rₙ₋₁)·Pₙ',
  ],
  auc: ['AUC', 'chance that a fraud ranks above a legitimate one'],
  recall_at_1_percent: ['Recall at 1 %', 'frauds caught at 1 % false alarms'],
  account_precision_100: ['Account precision, 100', 'of the 100 riskiest accounts a day'],
  log_loss: ['Log loss', 'nats; lower is better'],
};
const NO_SHARE = 'log_loss';
const IMPORTANCE_ROWS = 10;

export function ModelCard({ card }: Pick<ModelDetail, 'card'>) {
  const read = useMemo(() => readCard(card), [card]);
  if (card === null) {
    return (
      <Part title="Card">
        <Empty title="The model has no card">
          It was imported without one: train it here, or give its manifest a card.
        </Empty>
      </Part>
    );
  }
  return (
    <>
      <div className="pair">
        <Figures card={read} />
        <Calibration card={read} />
      </div>
      <div className="pair">
        <Distribution card={read} />
        <ImportanceBars card={read} />
      </div>
      <Corridors card={read} />
    </>
  );
}

function Figures({ card: { figures, atReview, validation, bands } }: { readonly card: Card }) {
  const shown = Object.keys(FIGURES).flatMap((name) => figures.filter((one) => one.name === name));
  return (
    <Part title="Figures">
      {shown.length === 0 ? (
        <Empty title="There are no figures">
          Nothing was held back from the training that it could be judged on.
        </Empty>
      ) : (
        <ul className="figures">
          {shown.map((figure) => (
            <FigureRow key={figure.name} figure={figure} />
          ))}
          {atReview === undefined ? null : <AtReview {...atReview} />}
        </ul>
      )}
      <p className="muted small">
        {validation === undefined
          ? ''
          : `On ${count(validation.rows)} transactions from ${validation.from} to ${validation.to}, with the bounds of 95\u00a0%. `}
        {bands === undefined
          ? ''
          : `Review from ${bandText(bands.review)}, decline from ${bandText(bands.decline)}.`}
      </p>
    </Part>
  );
}

/** A bound above 1 is never reached. */
const bandText = (from: number) => (from > 1 ? 'never' : number(from));

function FigureRow({ figure: { name, value, low, high } }: { readonly figure: Figure }) {
  const [title, meaning] = FIGURES[name] ?? [name, ''];
  return (
    <li>
      <span>
        {title} <span className="muted small">{meaning}</span>
      </span>
      <span className="number">
        <strong>{value.toFixed(3)}</strong>{' '}
        <span className="muted small">
          {low.toFixed(3)}–{high.toFixed(3)}
        </span>
      </span>
      {name === NO_SHARE ? null : <Interval value={value} low={low} high={high} />}
    </li>
  );
}

/** Without bounds: the card has none of it. */
function AtReview({ flagged, frauds }: NonNullable<Card['atReview']>) {
  return (
    <li>
      <span>
        Precision at the bound of review{' '}
        <span className="muted small">
          {count(frauds)} of {count(flagged)} flagged are frauds
        </span>
      </span>
      <span className="number">
        <strong>{flagged === 0 ? '–' : (frauds / flagged).toFixed(3)}</strong>
      </span>
    </li>
  );
}

function Calibration({ card: { calibration } }: { readonly card: Card }) {
  return (
    <Part title="Calibration">
      {calibration.length === 0 ? (
        <Empty title="It was not calibrated here" />
      ) : (
        <CalibrationCurve label="Calibration" rows={calibration} />
      )}
    </Part>
  );
}

function Distribution({ card: { probability } }: { readonly card: Card }) {
  const lines = useMemo(
    () => [{ label: 'transactions below', color: 'accent', points: probability } as const],
    [probability],
  );
  return (
    <Part title="Scores at the training">
      {probability.length === 0 ? (
        <Empty title="The card has no distribution" />
      ) : (
        <Curve
          {...{ label: 'Scores', x: 'probability', y: 'transactions below', lines }}
          {...{ formatX: percent, formatY: percent }}
        />
      )}
    </Part>
  );
}

function ImportanceBars({ card: { importance } }: { readonly card: Card }) {
  const rows = importance.slice(0, IMPORTANCE_ROWS).map(({ name, share }) => ({
    ...{ key: name, name, note: '', value: share, text: percent(share) },
  }));
  return (
    <Part title="Features it leans on">
      {rows.length === 0 ? <Empty title="The card names none" /> : <Bars rows={rows} />}
    </Part>
  );
}

const share = (value: number | null) => (value === null ? '–' : percent(value));
const SEGMENT_COLUMNS: readonly Column<Segment>[] = [
  { id: 'corridor', header: 'Corridor', cell: ({ segment }) => <strong>{segment}</strong> },
  { id: 'rows', header: 'Transactions', numeric: true, cell: ({ rows }) => count(rows) },
  { id: 'frauds', header: 'Frauds', numeric: true, cell: ({ frauds }) => count(frauds) },
  { id: 'flagged', header: 'Flagged', numeric: true, from: 2, cell: (row) => share(row.flagged) },
  {
    ...{ id: 'false', header: 'False alarms', numeric: true },
    cell: (row) => share(row.falseAlarms),
  },
  { id: 'caught', header: 'Caught', numeric: true, cell: (row) => share(row.caught) },
];

function Corridors({ card: { corridors } }: { readonly card: Card }) {
  if (corridors.length === 0) return null;
  return (
    <Part title="By corridor, at the bound of review">
      <DataTable
        label="By corridor"
        columns={SEGMENT_COLUMNS}
        rows={corridors}
        keyOf={({ segment }) => segment}
      />
    </Part>
  );
}
