/** Flips of a shadow by corridor, with transactions to open. */
import { Link } from 'wouter';
import type { RuleSetDetail } from '../../../../src/kit/client/api-types.ts';
import { count, percent } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Time } from '../../parts/show.tsx';
import { Empty } from '../../parts/states.tsx';

type Flips = RuleSetDetail['shadows'][number];

/** Links beside a count: more than a person opens in one go. */
const LINKS_MAX = 3;

export const isShadow = ({ corridors }: Pick<RuleSetDetail, 'corridors'>) =>
  corridors.some(({ to }) => to === 'shadow');

const countOf = (rows: number, share: Flips['milder_share']) => (
  <>
    <strong>{count(rows)}</strong>{' '}
    {share === null ? null : <span className="muted small">{percent(share.value)}</span>}
  </>
);

const linksOf = (ids: readonly string[]) => (
  <span className="row">
    {ids.length === 0
      ? '–'
      : ids.slice(0, LINKS_MAX).map((id) => (
          <Link key={id} href={`/transactions/${id}`} className="mono">
            {id.slice(-6)}
          </Link>
        ))}
  </span>
);

const COLUMNS: readonly Column<Flips>[] = [
  { id: 'corridor', header: 'Corridor', cell: ({ corridor }) => corridor },
  { id: 'scores', header: 'Scores', numeric: true, cell: ({ scores }) => count(scores) },
  {
    ...{ id: 'stricter', header: 'Stricter', numeric: true },
    cell: ({ stricter, stricter_share }) => countOf(stricter, stricter_share),
  },
  {
    ...{ id: 'stricter-ids', header: 'Newest stricter', from: 2 },
    cell: ({ stricter_ids }) => linksOf(stricter_ids),
  },
  {
    ...{ id: 'milder', header: 'Milder', numeric: true },
    cell: ({ milder, milder_share }) => countOf(milder, milder_share),
  },
  {
    ...{ id: 'milder-ids', header: 'Newest milder', from: 2 },
    cell: ({ milder_ids }) => linksOf(milder_ids),
  },
  {
    ...{ id: 'failed', header: 'Failed', numeric: true, from: 3 },
    cell: ({ failed }) => count(failed),
  },
  { id: 'to', header: 'Last', from: 3, cell: ({ to }) => <Time at={to} /> },
];

export function Shadows({ detail }: { readonly detail: RuleSetDetail }) {
  const { shadows } = detail;
  if (shadows.length === 0) {
    return isShadow(detail) ? (
      <Empty title="The shadow has compared no score yet">
        Workers count what it would have decided with the next transactions.
      </Empty>
    ) : null;
  }
  return (
    <>
      <DataTable
        label="Flips of the shadow"
        columns={COLUMNS}
        rows={shadows}
        keyOf={({ corridor }) => corridor}
      />
      <p className="muted small">
        Counts since it first was a shadow, renewed every few seconds while it is one. Stricter: it
        would have reviewed or declined what was decided more mildly.
      </p>
    </>
  );
}
