/** Backtests: what versions of rules and models would have decided, newest first, and a form for the next one. */
import { Link } from 'wouter';
import type { Backtest } from '../../../../src/kit/client/api-types.ts';
import { person } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Page, Part } from '../../parts/page.tsx';
import { Time } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { hrefOf, State, useBacktests, windowOf } from './asked.tsx';
import { NewBacktest } from './new-backtest.tsx';

const COLUMNS: readonly Column<Backtest>[] = [
  {
    ...{ id: 'version', header: 'What' },
    cell: (one) => (
      <Link href={hrefOf(one)} className="wrap">
        {one.version}
      </Link>
    ),
  },
  { id: 'state', header: 'State', cell: (one) => <State one={one} /> },
  {
    ...{ id: 'against', header: 'Beside', from: 2 },
    cell: ({ against }) => <span className="wrap">{against}</span>,
  },
  {
    ...{ id: 'window', header: 'Payments of', from: 2 },
    cell: (one) => <span className="wrap">{windowOf(one)}</span>,
  },
  { id: 'by', header: 'Asked by', from: 3, cell: ({ requested_by }) => person(requested_by) },
  { id: 'at', header: 'When', from: 3, cell: ({ requested_at }) => <Time at={requested_at} /> },
];

export function BacktestsPage() {
  const query = useBacktests();
  return (
    <Page title="Backtests">
      <NewBacktest />
      <Part title="Asked so far">
        <Found query={query} what="backtests">
          {({ items }) =>
            items.length === 0 ? (
              <Empty title="Nobody has asked for one yet" />
            ) : (
              <DataTable
                label="Backtests"
                columns={COLUMNS}
                rows={items}
                keyOf={({ backtest_id }) => backtest_id}
              />
            )
          }
        </Found>
      </Part>
    </Page>
  );
}
