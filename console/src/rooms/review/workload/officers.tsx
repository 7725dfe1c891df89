/** The officers at work, and how busy each was within the last hour, beside the limit of the policy. */
import type { ReviewPolicy, ReviewStatus } from '../../../../../src/kit/client/api-types.ts';
import { count, percent } from '../../../format.ts';
import { type Column, DataTable } from '../../../parts/data-table.tsx';
import { Empty } from '../../../parts/states.tsx';
import { paceOf } from '../figures.tsx';

type Officer = ReviewStatus['officers'][number];

/** Utilisation that fills a bar. */
const FULL = 1;

/** @param limit where the line stands */
export function UtilisationBar({
  value,
  limit,
}: {
  readonly value: number;
  readonly limit: number;
}) {
  return (
    <span className="utilisation" aria-hidden="true">
      <i
        className={value > limit ? 'warning' : 'accent'}
        style={{ width: `${Math.min(1, value / FULL) * 100}%` }}
      />
      <b style={{ left: `${(limit / FULL) * 100}%` }} />
    </span>
  );
}

export function Officers({
  status: { officers, officers_at_work: all, measured },
  policy: {
    capacity: { utilisation_max: limit },
  },
}: {
  readonly status: ReviewStatus;
  readonly policy: ReviewPolicy;
}) {
  if (officers.length === 0) {
    return (
      <Empty title="Nobody is at work">
        Who has claimed a case, or decided one within the last hour, is listed here.
      </Empty>
    );
  }
  const columns: readonly Column<Officer>[] = [
    {
      ...{ id: 'officer', header: 'Officer' },
      cell: ({ officer }) => (
        <span className="clip short" title={officer}>
          {officer}
        </span>
      ),
    },
    { id: 'claimed', header: 'Claimed', numeric: true, cell: ({ claimed }) => count(claimed) },
    {
      ...{ id: 'decided', header: 'Decided, 1 h', numeric: true },
      cell: ({ decided }) => count(decided),
    },
    {
      ...{ id: 'bar', header: 'Limit', from: 3 },
      cell: ({ utilisation }) => <UtilisationBar value={utilisation} limit={limit} />,
    },
    {
      ...{ id: 'utilisation', header: 'Busy', numeric: true },
      cell: ({ utilisation }) => (
        <span className={utilisation > limit ? 'warning' : ''}>{percent(utilisation)}</span>
      ),
    },
  ];
  return (
    <>
      <p className="muted small">
        An officer is busy by the cases decided within the last hour, compared with{' '}
        {paceOf(measured)}; the limit is {percent(limit)}.
        {all > officers.length ? ` ${count(all - officers.length)} more are at work.` : ''}
      </p>
      <DataTable
        label="Officers at work"
        columns={columns}
        rows={officers}
        keyOf={(one) => one.officer}
      />
    </>
  );
}
