/** The measures of a table: what they carry, the points of one of them by its buckets, and what changed since the table before. */
import { useMemo } from 'react';
import { Link, useSearchParams } from 'wouter';
import type { ScorecardTable } from '../../../../src/kit/client/api-types.ts';
import { count, number, percent, words } from '../../format.ts';
import { Bars } from '../../parts/bars.tsx';
import { Curve } from '../../parts/curve.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Choice } from '../../parts/field.tsx';
import { Part } from '../../parts/page.tsx';
import { Empty } from '../../parts/states.tsx';

type Props = { readonly table: ScorecardTable };
type Measure = ScorecardTable['measures'][number];

const ROWS = 12;
/** Smaller changes come from one more day of the same payments. */
const CHANGE_MIN = 0.005;

export const signed = (points: number) => `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(2)}`;

const columnsOf = (day: string): readonly Column<Measure>[] => [
  {
    id: 'measure',
    header: 'Measure',
    cell: ({ measure }) => (
      <Link href={`/scorecards/${day}?${new URLSearchParams({ measure })}`}>{words(measure)}</Link>
    ),
  },
  {
    ...{ id: 'meaning', header: 'Meaning', from: 3 },
    cell: ({ meaning }) => <span className="wrap">{meaning}</span>,
  },
  { id: 'carries', header: 'Carries', numeric: true, cell: ({ carries }) => signed(carries) },
  {
    ...{ id: 'before', header: 'Before', numeric: true, from: 2 },
    cell: ({ carried_before: before }) => (before === null ? '–' : signed(before)),
  },
];

export function Measures({ table: { day, measures } }: Props) {
  const [search, setSearch] = useSearchParams();
  const sorted = useMemo(
    () => measures.toSorted((one, other) => Math.abs(other.carries) - Math.abs(one.carries)),
    [measures],
  );
  const columns = useMemo(() => columnsOf(day), [day]);
  const chosen = sorted.find(({ measure }) => measure === search.get('measure')) ?? sorted[0];
  if (chosen === undefined) return null;
  return (
    <div className="pair">
      <Part title="What the measures carry">
        <p className="muted small">
          Points that a known fraud has on average; a usual payment has none. Points are log-odds of
          fraud: 0.7 doubles the odds.
        </p>
        <DataTable
          label="Measures"
          columns={columns}
          rows={sorted.slice(0, ROWS)}
          keyOf={({ measure }) => measure}
        />
      </Part>
      <Part
        title={`Points of ${words(chosen.measure)}`}
        aside={
          <Choice
            label="Measure"
            value={chosen.measure}
            onChange={(measure) => setSearch({ measure }, { replace: true })}
          >
            {sorted.map(({ measure }) => (
              <option key={measure} value={measure}>
                {words(measure)}
              </option>
            ))}
          </Choice>
        }
      >
        <Buckets measure={chosen} />
      </Part>
    </div>
  );
}

type Bucket = {
  readonly values: string;
  /** Absent: the bucket stands for no value. */
  readonly edge?: string;
  readonly points: number;
  readonly payments: number;
  readonly frauds: number;
};

/** Buckets that a value can be in; equal cuts have no bucket between them. */
function bucketsOf({ cuts, points, payments, frauds }: Measure): readonly Bucket[] {
  const bucket = (at: number, values: string, edge?: string): Bucket => ({
    ...{ values, points: points[at] ?? 0, payments: payments[at] ?? 0, frauds: frauds[at] ?? 0 },
    ...(edge === undefined ? {} : { edge }),
  });
  const known = (cuts ?? []).flatMap((cut, at) => {
    const above = cuts?.[at - 1];
    if (above === cut) return [];
    const from = above === undefined ? 'to' : `${number(above)} to`;
    return [bucket(at, `${from} ${number(cut)}`, number(cut))];
  });
  const [most, missing] = [cuts?.length ?? 0, points.length - 2];
  const last = cuts?.at(-1);
  return [
    ...known,
    ...(last === undefined ? [] : [bucket(most, `above ${number(last)}`, `> ${number(last)}`)]),
    bucket(missing, 'missing'),
    bucket(missing + 1, 'any, too few to tell apart'),
  ].filter((one) => one.payments > 0 || one.edge !== undefined);
}

const BUCKET_COLUMNS: readonly Column<Bucket>[] = [
  { id: 'values', header: 'Value', cell: ({ values }) => values },
  { id: 'points', header: 'Points', numeric: true, cell: ({ points }) => signed(points) },
  { id: 'payments', header: 'Payments', numeric: true, cell: (row) => count(row.payments) },
  { id: 'frauds', header: 'Frauds', numeric: true, cell: ({ frauds }) => count(frauds) },
  {
    ...{ id: 'share', header: 'Share', numeric: true, from: 2 },
    cell: ({ payments, frauds }) => (payments === 0 ? '–' : percent(frauds / payments)),
  },
];

function Buckets({ measure }: { readonly measure: Measure }) {
  const buckets = useMemo(() => bucketsOf(measure), [measure]);
  const ordered = buckets.filter(({ edge }) => edge !== undefined);
  const lines = useMemo(() => {
    const all = buckets.filter(({ edge }) => edge !== undefined);
    return [
      {
        ...{ label: 'points', color: 'accent' as const },
        points: all.map(({ points }, at) => [at, points] as const),
      },
      {
        ...{ label: 'usual', color: 'muted' as const, isGuide: true },
        points: [[0, 0] as const, [all.length - 1, 0] as const],
      },
    ];
  }, [buckets]);
  return (
    <>
      <p className="muted small">{measure.meaning}.</p>
      {ordered.length < 2 ? (
        <Empty title="Its values are not told apart">
          Fewer than 300 of the sampled payments have one, or all have the same.
        </Empty>
      ) : (
        <Curve
          {...{ label: `Points of ${words(measure.measure)}`, x: 'value', y: 'points', lines }}
          formatX={(at) => ordered[at]?.edge ?? ''}
          formatY={number}
        />
      )}
      <DataTable
        label="Buckets"
        columns={BUCKET_COLUMNS}
        rows={buckets}
        keyOf={({ values }) => values}
      />
    </>
  );
}

/** The greatest changes of what measures carry. */
export function Since({ table: { before, measures } }: Props) {
  const rows = measures
    .map(({ measure, carries, carried_before: was }) => ({ measure, by: carries - (was ?? 0) }))
    .filter(({ by }) => Math.abs(by) >= CHANGE_MIN)
    .toSorted((one, other) => Math.abs(other.by) - Math.abs(one.by))
    .slice(0, ROWS / 2);
  return (
    <Part title={before === null ? 'Since the table before' : `Since ${before.day}`}>
      {before === null ? (
        <Empty title="It is the first table">The next night is compared with it.</Empty>
      ) : rows.length === 0 ? (
        <Empty title="No measure carries more or less" />
      ) : (
        <Bars
          rows={rows.map(({ measure, by }) => ({
            ...{ key: measure, name: words(measure), note: '', value: by, text: signed(by) },
          }))}
        />
      )}
    </Part>
  );
}
