/** Review cases of an account, a merchant or a device: those that wait, and what people decided. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { ReviewCase } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { money, person } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Part } from '../../parts/page.tsx';
import { Badge, Time } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { REVIEWS } from './cases.ts';
import { DISPOSITION_LEVELS } from './dispositions.ts';
import { PriorityMark, StateMark } from './marks.tsx';

/** Most cases that are listed, of those that wait and of those that are closed. */
const CASES = 20;

const COLUMNS: readonly Column<ReviewCase>[] = [
  {
    ...{ id: 'opened', header: 'Opened' },
    cell: ({ transaction_id: id, opened_at }) => (
      <Link href={`/review/${id}`}>
        <Time at={opened_at} />
      </Link>
    ),
  },
  {
    ...{ id: 'priority', header: 'Priority', from: 2 },
    cell: ({ priority }) => <PriorityMark priority={priority} />,
  },
  {
    ...{ id: 'score', header: 'Score', numeric: true, from: 2 },
    cell: ({ score }) => score ?? '–',
  },
  {
    ...{ id: 'amount', header: 'Amount', numeric: true },
    cell: ({ amount, currency }) => money(amount, currency),
  },
  { id: 'state', header: 'State', from: 2, cell: (one) => <StateMark one={one} /> },
  {
    ...{ id: 'decision', header: 'Decision' },
    cell: ({ decision }) =>
      decision === null ? (
        '–'
      ) : (
        <Badge level={DISPOSITION_LEVELS[decision.disposition]}>{decision.disposition}</Badge>
      ),
  },
  {
    ...{ id: 'by', header: 'By', from: 2 },
    cell: ({ decision }) => (
      <span className="name who" title={decision?.decided_by}>
        {person(decision?.decided_by ?? '–')}
      </span>
    ),
  },
  {
    ...{ id: 'why', header: 'Reason', from: 3 },
    cell: ({ decision }) => (
      <span className="name reason" title={decision?.reason}>
        {decision?.reason ?? '–'}
      </span>
    ),
  },
];

/** @param filters one party, by the name that the search and the queue give it */
export function PartyCases({ filters }: { readonly filters: Readonly<Record<string, string>> }) {
  const query = useQuery({
    queryKey: [REVIEWS, 'party', filters],
    queryFn: async ({ signal }) => {
      const of = { ...filters, limit: CASES };
      const pages = await Promise.all([
        ask('GET /v1/reviews', { query: of }, signal),
        ask('GET /v1/reviews', { query: { ...of, state: 'closed' } }, signal),
      ]);
      return pages.flatMap(({ items }) => items);
    },
  });
  const all = `/review?${new URLSearchParams(filters)}`;
  const links = (
    <>
      <Link href={all}>Cases</Link>
      <Link href={`${all}&state=closed`}>Decided</Link>
    </>
  );
  return (
    <Part title="Cases and decisions" aside={links}>
      <Found query={query} what="cases">
        {(cases) =>
          cases.length === 0 ? (
            <Empty title="Nobody had to decide about it" />
          ) : (
            <DataTable
              label="Cases and decisions"
              columns={COLUMNS}
              rows={cases}
              keyOf={({ transaction_id: id }) => id}
            />
          )
        }
      </Found>
    </Part>
  );
}
