/** The decisions that a shadow would have made, beside the decisions that were made on the same transactions. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { ShadowComparison } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { count, percent, short } from '../../format.ts';
import { Curve, type CurveLine } from '../../parts/curve.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Part } from '../../parts/page.tsx';
import { Verdict } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { ShareRow } from './watch.tsx';

const VERDICTS = ['approve', 'review', 'decline'] as const;
type VerdictName = (typeof VERDICTS)[number];

/** @param model `name@version` */
export function Shadow({ model }: { readonly model: string }) {
  const query = useQuery({
    queryKey: ['shadow', model],
    queryFn: ({ signal }) =>
      ask('GET /v1/models/{id}/comparison', { path: { id: model }, query: {} }, signal),
    staleTime: 60_000,
  });
  return (
    <Part title="As a shadow, last 28 days">
      <Found query={query} what="the comparison">
        {(comparison) =>
          comparison.rows === 0 ? (
            <Empty title="It was no shadow in this time">
              A shadow judges every transaction and decides none, so that it can be compared here.
            </Empty>
          ) : (
            <Compared comparison={comparison} />
          )
        }
      </Found>
    </Part>
  );
}

function Compared({ comparison }: { readonly comparison: ShadowComparison }) {
  const { rows, labelled, frauds, decided, shadow, distribution } = comparison;
  const lines = useMemo(
    (): readonly CurveLine[] => [
      {
        ...{ label: 'as decided', color: 'muted', isStepped: true },
        points: [...distribution.map((bin) => [bin.from, bin.decided] as const), [1, 0] as const],
      },
      {
        ...{ label: 'shadow', color: 'accent', isStepped: true },
        points: [...distribution.map((bin) => [bin.from, bin.shadow] as const), [1, 0] as const],
      },
    ],
    [distribution],
  );
  return (
    <>
      <p className="muted small">
        {count(rows)} transactions that both judged, {count(labelled)} of them labelled,{' '}
        {count(frauds)} frauds.
      </p>
      <div className="pair">
        <ul className="figures">
          <ShareRow name="Precision, as decided" share={decided.precision} />
          <ShareRow name="Precision, shadow" share={shadow.precision} />
          <ShareRow name="Recall, as decided" share={decided.recall} />
          <ShareRow name="Recall, shadow" share={shadow.recall} />
        </ul>
        <Curve
          {...{ label: 'Scores', x: 'risk', y: 'transactions', lines }}
          {...{ formatX: percent, formatY: short }}
        />
      </div>
      <Verdicts verdicts={comparison.verdicts} />
    </>
  );
}

type Row = { readonly decided: VerdictName } & Readonly<Record<VerdictName, number>>;

const COLUMNS: readonly Column<Row>[] = [
  { id: 'decided', header: 'Decided', cell: ({ decided }) => <Verdict verdict={decided} /> },
  ...VERDICTS.map((verdict) => ({
    ...{ id: verdict, header: `Shadow: ${verdict}`, numeric: true },
    cell: (row: Row) =>
      row.decided === verdict || row[verdict] === 0 ? (
        <span className={row[verdict] === 0 ? 'muted' : ''}>{count(row[verdict])}</span>
      ) : (
        <strong>{count(row[verdict])}</strong>
      ),
  })),
];

function Verdicts({ verdicts }: Pick<ShadowComparison, 'verdicts'>) {
  const rowsOf = (decided: VerdictName, shadow: VerdictName) =>
    verdicts.find((one) => one.decided === decided && one.shadow === shadow)?.rows ?? 0;
  const rows = VERDICTS.map((decided) => ({
    decided,
    approve: rowsOf(decided, 'approve'),
    review: rowsOf(decided, 'review'),
    decline: rowsOf(decided, 'decline'),
  }));
  return (
    <DataTable
      label="Verdicts of both"
      columns={COLUMNS}
      rows={rows}
      keyOf={({ decided }) => decided}
    />
  );
}
