/** The search: filters are the parameters of the API's lists, and the address holds them. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { Link, useSearchParams } from 'wouter';
import type { Score, Transaction } from '../../../src/client/api-types.ts';
import { ask } from '../api/ask.ts';
import { money, words } from '../format.ts';
import { type Column, DataTable } from '../parts/data-table.tsx';
import { Page } from '../parts/page.tsx';
import { Badge, Time, Verdict } from '../parts/show.tsx';
import { Empty, Found } from '../parts/states.tsx';
import { activeFilters, Filters, type ListName } from './filters.tsx';

const PAGE_ROWS = 100;

export function TransactionsPage() {
  const [search, setSearch] = useSearchParams();
  const list: ListName = search.get('list') === 'transactions' ? 'transactions' : 'scores';
  const filters = activeFilters(list, search);
  const show = (name: ListName) =>
    setSearch((before) => {
      const next = new URLSearchParams(before);
      if (name === 'scores') next.delete('list');
      else next.set('list', name);
      return next;
    });
  return (
    <Page
      title="Transactions"
      aside={
        <fieldset className="segments" aria-label="List">
          {(['scores', 'transactions'] as const).map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={list === name}
              onClick={() => show(name)}
            >
              {name === 'scores' ? 'Scored' : 'All accepted'}
            </button>
          ))}
        </fieldset>
      }
    >
      <Filters list={list} search={search} onChange={setSearch} />
      {list === 'scores' ? <Scores filters={filters} /> : <Accepted filters={filters} />}
    </Page>
  );
}

type ListProps = { readonly filters: Readonly<Record<string, string>> };

const SCORE_COLUMNS: readonly Column<Score>[] = [
  { id: 'score', header: 'Score', numeric: true, cell: ({ score }) => <strong>{score}</strong> },
  { id: 'verdict', header: 'Verdict', cell: ({ verdict }) => <Verdict verdict={verdict} /> },
  {
    id: 'account',
    header: 'Account',
    cell: ({ transaction_id: id, account_id }) => (
      <Link href={`/transactions/${id}`}>{account_id}</Link>
    ),
  },
  { id: 'created', header: 'Created', cell: ({ created_at }) => <Time at={created_at} /> },
  {
    ...{ id: 'reason', header: 'Greatest reason', from: 2 },
    cell: ({ reasons }) => <span className="clip">{reasons[0]?.detail ?? '–'}</span>,
  },
  {
    ...{ id: 'others', header: 'Other reasons', from: 3 },
    cell: ({ reasons }) => (
      <span className="clip muted">
        {reasons
          .slice(1)
          .map(({ code }) => words(code))
          .join(', ')}
      </span>
    ),
  },
  { id: 'corridor', header: 'Corridor', from: 2, cell: ({ corridor }) => corridor },
];

function Scores({ filters }: ListProps) {
  const query = useInfiniteQuery({
    queryKey: ['scores', filters],
    queryFn: ({ pageParam, signal }) =>
      ask('GET /v1/scores', { query: { ...filters, limit: PAGE_ROWS, cursor: pageParam } }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  const rows = useMemo(() => query.data?.pages.flatMap(({ items }) => items) ?? [], [query.data]);
  return (
    <Found query={query} what="scores">
      {() => <Rows columns={SCORE_COLUMNS} rows={rows} more={query} label="Scored transactions" />}
    </Found>
  );
}

const STATUS_LEVELS = { accepted: 'unknown', scored: 'fine', dead_lettered: 'critical' } as const;

const TRANSACTION_COLUMNS: readonly Column<Transaction>[] = [
  { id: 'created', header: 'Created', cell: ({ created_at }) => <Time at={created_at} /> },
  {
    id: 'account',
    header: 'Account',
    cell: ({ transaction_id: id, account_id }) => (
      <Link href={`/transactions/${id}`}>{account_id}</Link>
    ),
  },
  {
    ...{ id: 'merchant', header: 'Merchant', from: 2 },
    cell: ({ merchant_id: id }) => <Link href={`/merchants/${encodeURIComponent(id)}`}>{id}</Link>,
  },
  {
    ...{ id: 'amount', header: 'Amount', numeric: true },
    cell: ({ amount, currency }) => `${money(amount)} ${currency}`,
  },
  { id: 'corridor', header: 'Corridor', from: 2, cell: ({ corridor }) => corridor },
  { id: 'country', header: 'Country', from: 3, cell: ({ country }) => country ?? '–' },
  { id: 'channel', header: 'Channel', from: 3, cell: ({ channel }) => channel ?? '–' },
  {
    id: 'status',
    header: 'Status',
    cell: ({ status }) => <Badge level={STATUS_LEVELS[status]}>{words(status)}</Badge>,
  },
];

function Accepted({ filters }: ListProps) {
  const query = useInfiniteQuery({
    queryKey: ['transactions', filters],
    queryFn: ({ pageParam, signal }) =>
      ask(
        'GET /v1/transactions',
        { query: { ...filters, limit: PAGE_ROWS, cursor: pageParam } },
        signal,
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  const rows = useMemo(() => query.data?.pages.flatMap(({ items }) => items) ?? [], [query.data]);
  return (
    <Found query={query} what="transactions">
      {() => (
        <Rows
          columns={TRANSACTION_COLUMNS}
          rows={rows}
          more={query}
          label="Accepted transactions"
        />
      )}
    </Found>
  );
}

type RowsProps<Row> = Pick<
  Parameters<typeof DataTable<Row & { transaction_id: string }>>[0],
  'columns' | 'rows' | 'label'
> & { readonly more: NonNullable<Parameters<typeof DataTable>[0]['more']> };

function Rows<Row extends { readonly transaction_id: string }>({
  columns,
  rows,
  more,
  label,
}: RowsProps<Row>) {
  if (rows.length === 0) {
    return <Empty title="No transaction matches">Change a filter, or take one away.</Empty>;
  }
  return (
    <DataTable
      label={label}
      columns={columns}
      rows={rows}
      keyOf={(row) => row.transaction_id}
      more={more}
    />
  );
}

/** Recent transactions of a party, newest first. */
export function TransactionTable({
  rows,
  label,
}: {
  readonly rows: readonly Transaction[];
  readonly label: string;
}) {
  if (rows.length === 0) return <Empty title="There are none" />;
  return (
    <DataTable
      label={label}
      columns={TRANSACTION_COLUMNS}
      rows={rows}
      keyOf={(row) => row.transaction_id}
    />
  );
}
