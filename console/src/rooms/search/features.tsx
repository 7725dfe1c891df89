/** Compares the features of a score with those of the account's earlier transactions: sentences for the most unusual, a folded table of all. */
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Explanation, Habit } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { cents, count, number, percent, ratio, roundedMoney } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Part } from '../../parts/page.tsx';
import { Badge, Time } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';

type Usual = Habit['features'][number];
type Row = Explanation['features'][number] & {
  readonly usual: Usual | undefined;
  readonly unusual: 'above' | 'below' | null;
};

/** Below so many, a range says little. */
const KNOWN_MIN = 5;

/** Number of unusual features that are written as sentences. */
const SAID = 5;

type FeaturesProps = { readonly explanation: Explanation; readonly currency: string };

export function Features({ explanation, currency }: FeaturesProps) {
  const id = explanation.score.transaction_id;
  const query = useQuery({
    queryKey: ['habit', id],
    queryFn: ({ signal }) => ask('GET /v1/scores/{id}/habit', { path: { id } }, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Part title="Compared with the account's earlier transactions">
      <Found query={query} what="the account's earlier transactions">
        {(habit) => <Compared explanation={explanation} habit={habit} currency={currency} />}
      </Found>
    </Part>
  );
}

function Compared({ explanation, habit, currency }: FeaturesProps & { readonly habit: Habit }) {
  const usual = new Map(habit.features.map((one) => [one.name, one]));
  const rows = explanation.features.map((feature): Row => {
    const known = usual.get(feature.name);
    return { ...feature, usual: known, unusual: placeOf(feature.value, known) };
  });
  const unusual = rows
    .filter((row) => row.unusual !== null && !row.unit.startsWith('ln('))
    .toSorted((a, b) => distanceOf(b) - distanceOf(a));
  return (
    <>
      <Basis habit={habit} />
      {unusual.length > 0 ? (
        <ol className="unusual">
          {saidOf(unusual).map((row) => (
            <li key={row.name}>{sentenceOf(row, currency)}</li>
          ))}
        </ol>
      ) : habit.transactions < KNOWN_MIN ? null : (
        <p>No feature lies below or above those of all earlier transactions.</p>
      )}
      <details className="fold">
        <summary>
          All features{' '}
          <span className="muted">{`${rows.length}, schema ${explanation.feature_schema}, as logged with the score`}</span>
        </summary>
        <DataTable label="Features" columns={COLUMNS} rows={rows} keyOf={({ name }) => name} />
      </details>
    </>
  );
}

/** Puts the most unusual feature of each family first, because features of one family, as of amounts, repeat each other. */
function saidOf(unusual: readonly Row[]): readonly Row[] {
  const families = new Set<string>();
  const firsts = unusual.filter(({ name }) => {
    const [family = ''] = name.split('_');
    return !families.has(family) && families.add(family);
  });
  const others = unusual.filter((row) => !firsts.includes(row));
  return [...firsts, ...others].slice(0, SAID);
}

/** How far a value lies outside of the usual range, in widths of that range. */
function distanceOf({ value, usual }: Row): number {
  if (value === null || !usual || usual.min === null || usual.max === null) return 0;
  const beyond = Math.max(value - usual.max, usual.min - value);
  return beyond / Math.max(usual.max - usual.min, Math.abs(usual.median ?? 0), 1);
}

/** `Amount divided by the median: 5.2 times. Before: usually 1 times, at most 1.4 times.` */
function sentenceOf(row: Row, currency: string): ReactNode {
  const { name, description, value, usual, unusual, unit } = row;
  // A value of two that was never there has one that was always there.
  const isBinary = unit === '0 or 1';
  const say = (one: number | null | undefined) =>
    name === 'hour' ? `${one ?? '–'}:00` : valueText(one ?? null, unit, currency);
  const [bound, edge] = unusual === 'above' ? ['at most', usual?.max] : ['at least', usual?.min];
  return (
    <>
      {description.replace(/\.$/, '').replaceAll('sibling', 'earlier transaction')}:{' '}
      <strong>{say(value)}</strong>.{' '}
      <span className="muted">
        {isBinary
          ? `Before: always ${say(edge)}.`
          : `Before: usually ${say(usual?.median)}, ${bound} ${say(edge)}.`}
      </span>
    </>
  );
}

function valueText(value: number | null, unit: string, currency: string): string {
  if (value === null) return 'unknown';
  if (unit === '0 or 1') return value === 0 ? 'no' : 'yes';
  if (unit === 'share') return percent(value);
  if (unit === 'currency units') return roundedMoney(value, currency);
  if (unit === 'ratio') return `${ratio(value)} times`;
  return unit === ''
    ? number(value)
    : `${number(value)} ${value === 1 ? unit.replace(/s$/, '') : unit}`;
}

/** The transactions that the features are compared with. */
function Basis({ habit: { transactions, from } }: { readonly habit: Habit }) {
  if (transactions === 0) {
    return (
      <Empty title="Nothing to compare with">
        The account has no scored transaction before this one, within 180 days.
      </Empty>
    );
  }
  const least = transactions < KNOWN_MIN ? `; too few to call anything unusual` : '';
  return (
    <p className="muted small">
      {`Each feature of this transaction is compared with the same feature of the account's ${count(transactions)} scored transactions before it, since `}
      <Time at={from} />
      {`. Usual is their median; unusual is a value below or above all of theirs${least}. Counts here leave this payment out, and the sentences of rules count it.`}
    </p>
  );
}

function placeOf(value: number | null, usual: Usual | undefined): Row['unusual'] {
  if (value === null || usual === undefined || usual.known < KNOWN_MIN) return null;
  if (usual.max !== null && value > usual.max) return 'above';
  return usual.min !== null && value < usual.min ? 'below' : null;
}

/** A value in a column of values with different units. */
export function featureText(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return '–';
  if (unit === 'currency units') return cents(value);
  return unit === 'ratio' ? ratio(value) : number(value);
}

const COLUMNS: readonly Column<Row>[] = [
  {
    ...{ id: 'name', header: 'Feature' },
    cell: ({ name, description }) => (
      <span className="mono" title={description}>
        {name}
      </span>
    ),
  },
  {
    ...{ id: 'description', header: 'Meaning', from: 2 },
    cell: ({ description }) => <span className="wrap">{description}</span>,
  },
  {
    ...{ id: 'value', header: 'Value', numeric: true },
    cell: ({ value, unit }) => (value === null ? 'missing' : featureText(value, unit)),
  },
  {
    ...{ id: 'usual', header: 'Usual', numeric: true },
    cell: ({ usual, unit }) => featureText(usual?.median, unit),
  },
  {
    ...{ id: 'range', header: 'Least to most', numeric: true, from: 2 },
    cell: ({ usual, unit }) =>
      usual === undefined || usual.known === 0
        ? '–'
        : `${featureText(usual.min, unit)} to ${featureText(usual.max, unit)}`,
  },
  {
    id: 'unit',
    header: 'Unit',
    from: 2,
    cell: ({ unit }) => <span className="muted">{unit}</span>,
  },
  {
    ...{ id: 'unusual', header: 'Unusual' },
    cell: ({ unusual }) => (unusual === null ? null : <Badge level="warning">{unusual}</Badge>),
  },
];
