/** Each rule of the version: hits, precision, what would go without it, and which rules fire with it. */
import type { BacktestReport } from '../../../../src/kit/client/api-types.ts';
import { count, percent } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Part } from '../../parts/page.tsx';
import { shareText } from './cells.tsx';

type Rule = BacktestReport['rules'][number];

const COLUMNS: readonly Column<Rule>[] = [
  {
    ...{ id: 'rule', header: 'Rule', sortBy: ({ id }: Rule) => id },
    cell: ({ id, code }) => (
      <span className="wrap" title={code}>
        {id}
      </span>
    ),
  },
  {
    ...{ id: 'hits', header: 'Hits', numeric: true, sortBy: ({ hits }: Rule) => hits },
    cell: ({ hits }) => count(hits),
  },
  {
    ...{ id: 'fraud', header: 'Frauds', numeric: true, from: 2, sortBy: (row: Rule) => row.fraud },
    cell: ({ fraud }) => count(fraud),
  },
  {
    ...{ id: 'good', header: 'Good', numeric: true, from: 2 },
    sortBy: ({ legitimate }) => legitimate,
    cell: ({ legitimate }) => count(legitimate),
  },
  {
    ...{ id: 'precision', header: 'Precision', numeric: true },
    sortBy: ({ precision }) => precision?.value ?? -1,
    cell: ({ precision }) => <span className="wrap">{shareText(precision)}</span>,
  },
  {
    ...{ id: 'without', header: 'Without it', numeric: true, from: 2 },
    sortBy: ({ without }) => without.frauds_caught,
    cell: ({ without: { alerts, frauds_caught, legitimate } }) => (
      <span className="wrap">
        {alerts === 0
          ? 'as many alerts'
          : `−${count(alerts)} alerts: −${count(frauds_caught)} frauds, −${count(legitimate)} good`}
      </span>
    ),
  },
  {
    ...{ id: 'overlap', header: 'Fires with', from: 2 },
    cell: ({ overlaps }) => (
      <span className="wrap">
        {overlaps.length === 0
          ? '–'
          : overlaps
              .slice(0, 2)
              .map(({ id, share }) => `${id} (${percent(share)})`)
              .join(', ')}
      </span>
    ),
  },
];

export function Rules({ report: { rules, subject } }: { readonly report: BacktestReport }) {
  return (
    <Part title={`Rules of ${subject.version}`}>
      <DataTable
        label={`Rules of ${subject.version}`}
        columns={COLUMNS}
        rows={rules}
        keyOf={({ id }) => id}
      />
      <p className="muted small">
        Precision is the share of frauds among labelled hits. Without it: what would go if this rule
        alone were removed.
      </p>
    </Part>
  );
}
