/** Rows of the queue, read page by page. */
import { useInfiniteQuery } from '@tanstack/react-query';
import type { Me, NextReviewCase, ReviewCase } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { usePolling } from '../../api/presence.ts';
import { money, person, words } from '../../format.ts';
import { type Column, DataTable, type More, RowLink } from '../../parts/data-table.tsx';
import { PartyId } from '../../parts/show.tsx';
import { nameOf, QUEUE_EVERY_MS, REVIEWS, SOURCES } from './cases.ts';
import { PriorityBadge, PriorityName, StateMark, TimeLeft } from './marks.tsx';
import { caseLink } from './next-case.ts';
import { type QueueFilterValues, toParameters } from './queue-filters.tsx';
import type { Selection } from './selection.tsx';

const PAGE_ROWS = 100;

export function useQueue(filters: QueueFilterValues, me: Me) {
  return useInfiniteQuery({
    queryKey: [REVIEWS, 'queue', filters],
    queryFn: ({ pageParam, signal }) =>
      ask(
        'GET /v1/reviews',
        { query: { ...toParameters(filters, nameOf(me)), limit: PAGE_ROWS, cursor: pageParam } },
        signal,
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchInterval: usePolling(QUEUE_EVERY_MS),
  });
}

const columnsOf = (
  filter: NextReviewCase,
  { has, may, toggle }: Selection,
): readonly Column<ReviewCase>[] => [
  {
    id: 'select',
    header: '✓',
    from: 2,
    cell: (one) => (
      <input
        type="checkbox"
        aria-label={`Select the case of ${one.account_id}`}
        checked={has(one) && may(one)}
        disabled={!may(one)}
        onChange={() => toggle(one)}
      />
    ),
  },
  {
    ...{ id: 'priority', header: 'Priority' },
    cell: ({ transaction_id: id, priority }) => (
      <span className="row chips">
        <RowLink href={caseLink(id, filter)} label={`${priority}, case ${id}`}>
          <PriorityBadge priority={priority} />
        </RowLink>
        <span className="from-3">
          <PriorityName priority={priority} />
        </span>
      </span>
    ),
  },
  {
    ...{ id: 'left', header: 'Time left', numeric: true },
    cell: ({ state, due_at }) =>
      state === 'closed' || state === 'decided' ? '–' : <TimeLeft due={due_at} />,
  },
  {
    ...{ id: 'account', header: 'Account' },
    cell: ({ account_id: id }) => <PartyId kind="account" id={id} />,
  },
  {
    ...{ id: 'score', header: 'Score', numeric: true, from: 2 },
    cell: ({ score }) => (score === null ? '–' : <strong>{score}</strong>),
  },
  {
    ...{ id: 'amount', header: 'Amount', numeric: true },
    cell: ({ amount, currency }) => money(amount, currency),
  },
  { id: 'corridor', header: 'Corridor', from: 2, cell: ({ corridor }) => corridor },
  {
    ...{ id: 'reason', header: 'Reason', from: 2, isRest: true },
    cell: (one) => (
      <span className="clip" title={reasonOf(one)}>
        {reasonOf(one)}
      </span>
    ),
  },
  {
    ...{ id: 'who', header: 'With', from: 2 },
    cell: ({ locked_by, assignee, decision }) => {
      const name = locked_by ?? decision?.decided_by;
      const who = name ? person(name) : assignee === null ? '–' : `for ${assignee}`;
      return (
        <span className="name who" title={who}>
          {who}
        </span>
      );
    },
  },
  { id: 'state', header: 'State', from: 2, cell: (one) => <StateMark one={one} /> },
];

/** The source that raised the case, unless that is the verdict, whose reasons say more. */
function reasonOf({ source, reasons }: ReviewCase): string {
  const [first, ...others] = reasons;
  const rules =
    first === undefined
      ? ''
      : `${words(first)}${others.length === 0 ? '' : `, ${others.length} more`}`;
  if (source === 'verdict' && rules !== '') return rules;
  return [SOURCES[source], rules].filter(Boolean).join(': ');
}

type QueueTableProps = {
  readonly rows: readonly ReviewCase[];
  readonly more: More;
  /** The filter of the cases that come after the opened case. */
  readonly filter: NextReviewCase;
  readonly selection: Selection;
};

export function QueueTable({ rows, more, filter, selection }: QueueTableProps) {
  return (
    <DataTable
      label="Cases"
      columns={columnsOf(filter, selection)}
      rows={rows}
      keyOf={({ transaction_id: id }) => id}
      more={more}
    />
  );
}
