/** Verdicts that the version changes, each with rows to open. */
import { useState } from 'react';
import { Link } from 'wouter';
import type { BacktestReport } from '../../../../src/kit/client/api-types.ts';
import { count } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Part } from '../../parts/page.tsx';
import { Label, Verdict } from '../../parts/show.tsx';
import { Empty } from '../../parts/states.tsx';
import { LABELS } from './cells.tsx';

type Flip = BacktestReport['flips'][number];
type Example = Flip['examples'][number];

const keyOf = ({ from, to }: Flip) => `${from} to ${to}`;

export function Flips({ report }: { readonly report: BacktestReport }) {
  const { flips, subject, against } = report;
  const [opened, setOpened] = useState<string>();
  const shown = flips.find((one) => keyOf(one) === opened);
  const columns: readonly Column<Flip>[] = [
    { id: 'from', header: 'Was', cell: ({ from }) => <Verdict verdict={from} /> },
    { id: 'to', header: 'Would be', cell: ({ to }) => <Verdict verdict={to} /> },
    { id: 'rows', header: 'Rows', numeric: true, cell: ({ rows }) => count(rows) },
    ...LABELS.map((one): Column<Flip> => (one.id === 'none' ? { ...one, from: 2 } : one)),
    {
      ...{ id: 'open', header: 'Open' },
      cell: (flip) => (
        <button
          type="button"
          className="link"
          aria-label={`${count(flip.examples.length)} rows from ${keyOf(flip)}`}
          aria-expanded={keyOf(flip) === opened}
          onClick={() => setOpened(keyOf(flip) === opened ? undefined : keyOf(flip))}
        >
          {count(flip.examples.length)}
        </button>
      ),
    },
  ];
  return (
    <Part title={`Verdicts that ${subject.version} changes`}>
      {flips.length === 0 ? (
        <Empty title="No verdict differs">{against.version} decided each row alike.</Empty>
      ) : (
        <DataTable
          label={`Changed by ${subject.version}`}
          columns={columns}
          rows={flips}
          keyOf={keyOf}
        />
      )}
      {shown === undefined ? null : (
        <DataTable
          label={`From ${keyOf(shown)}`}
          columns={EXAMPLES}
          rows={shown.examples}
          keyOf={({ transaction_id }) => transaction_id}
        />
      )}
    </Part>
  );
}

const EXAMPLES: readonly Column<Example>[] = [
  {
    ...{ id: 'id', header: 'Transaction' },
    cell: ({ transaction_id: id }) => (
      <Link href={`/transactions/${id}`} className="mono">
        {id.slice(-12)}
      </Link>
    ),
  },
  {
    ...{ id: 'label', header: 'Label' },
    cell: ({ label }) =>
      label === 'unlabelled' ? <span className="muted">none</span> : <Label label={label} />,
  },
  { id: 'was', header: 'Scored', numeric: true, cell: (row) => count(row.score_against) },
  { id: 'is', header: 'Would score', numeric: true, cell: ({ score }) => count(score) },
  { id: 'corridor', header: 'Corridor', from: 2, cell: ({ corridor }) => corridor },
];
