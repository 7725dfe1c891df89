/** Sums of days, by day or by corridor: what was accepted, how it was scored, and what was given up. */

import { DAY_MS, type Sum, sumBy, useDays } from '../../api/days.ts';
import { serverMs } from '../../api/server-time.ts';
import { count, localTime, tenths } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Part } from '../../parts/page.tsx';
import { Empty, Found } from '../../parts/states.tsx';

const verdict = (name: 'approve' | 'review' | 'decline'): Column<Sum> => ({
  ...{ id: name, header: name[0]?.toUpperCase() + name.slice(1), numeric: true },
  cell: (sum) => count(sum[name]),
});

const COLUMNS: readonly Column<Sum>[] = [
  { id: 'transactions', header: 'Accepted', numeric: true, cell: (row) => count(row.transactions) },
  {
    ...{ id: 'scored', header: 'Scored', numeric: true, from: 2 },
    cell: ({ approve, review, decline }) => count(approve + review + decline),
  },
  { ...verdict('approve'), from: 2 },
  verdict('review'),
  verdict('decline'),
  {
    ...{ id: 'dead', header: 'Dead letters', numeric: true, from: 2 },
    cell: (row) => count(row.deadLetters),
  },
  {
    ...{ id: 'mean', header: 'Mean score', numeric: true, from: 2 },
    cell: ({ meanScore }) => (meanScore === null ? '–' : tenths(meanScore)),
  },
];

type SumTableProps = {
  readonly label: string;
  readonly of: 'Corridor' | 'Day (UTC)';
  readonly sums: readonly Sum[];
};

export function SumTable({ label, of, sums }: SumTableProps) {
  const first: Column<Sum> = {
    ...{ id: 'name', header: of },
    cell: ({ name }) => <strong>{name}</strong>,
  };
  const columns = [first, ...COLUMNS];
  return <DataTable label={label} columns={columns} rows={sums} keyOf={({ name }) => name} />;
}

/** @param days  days that the page asks for anyway, so that it asks once */
export function LastDay({ days }: { readonly days: number }) {
  const query = useDays(days);
  return (
    <Part title="Last day: today and yesterday, UTC">
      <Found query={query} what="sums">
        {({ items, counted_at }) => {
          const yesterday = new Date(serverMs() - DAY_MS).toISOString().slice(0, 10);
          const last = items.filter(({ day }) => day >= yesterday);
          if (last.length === 0) return <Empty title="Nothing was accepted today or yesterday" />;
          return (
            <div className="stack">
              <SumTable
                {...{ label: 'Today and yesterday', of: 'Day (UTC)' }}
                sums={sumBy(last, ({ day }) => day)}
              />
              <SumTable
                {...{ label: 'Corridors, today and yesterday', of: 'Corridor' }}
                sums={sumBy(last, ({ corridor = '' }) => corridor)}
              />
              <p className="muted small">
                A transaction counts on the UTC day of its creation, and a dead letter on the day on
                which it was given up. Counted until {localTime(counted_at)}.
              </p>
            </div>
          );
        }}
      </Found>
    </Part>
  );
}
