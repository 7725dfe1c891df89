/** The search: filters and order are parameters of the API, and the address holds them. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useSearchParams } from 'wouter';
import type { Operations } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { count } from '../../format.ts';
import { troubleOfTimes } from '../../parts/filter-fields.tsx';
import { Page } from '../../parts/page.tsx';
import { Time } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { activeFilters, FILTERS, Filters, type FilterValues, lacksCurrency } from './filters.tsx';
import { TransactionTable } from './transaction-table.tsx';

const PAGE_ROWS = 100;

const SORTS = { created_at: 'Newest first', score: 'Riskiest first', amount: 'Largest first' };
type Sort = keyof typeof SORTS;
const SORT_NAMES = Object.keys(SORTS) as Sort[];

/** Amounts have an order within one currency alone. */
const canSort = (sort: Sort, { currency }: FilterValues) =>
  sort !== 'amount' || currency !== undefined;

export function TransactionsPage() {
  const [search, setSearch] = useSearchParams();
  const filters = activeFilters(search);
  const asked = SORT_NAMES.find((name) => name === search.get('sort')) ?? 'created_at';
  const sort = canSort(asked, filters) ? asked : 'created_at';
  const trouble = troubleOfTimes(search, FILTERS);
  const sortBy = (name: Sort) =>
    setSearch((before) => {
      const next = new URLSearchParams(before);
      if (name === 'created_at') next.delete('sort');
      else next.set('sort', name);
      return next;
    });
  return (
    <Page
      title="Transactions"
      aside={
        <fieldset className="segments" aria-label="Order">
          {SORT_NAMES.map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={sort === name}
              disabled={!canSort(name, filters)}
              title={canSort(name, filters) ? undefined : 'It needs a currency among the filters.'}
              onClick={() => sortBy(name)}
            >
              {SORTS[name]}
            </button>
          ))}
        </fieldset>
      }
    >
      <Filters search={search} onChange={setSearch} />
      {lacksCurrency(search) ? (
        <p className="small" role="status">
          The amount applies once a currency is among the filters.
        </p>
      ) : null}
      {trouble === undefined ? (
        <>
          <div className="part-head small muted">
            <Total filters={filters} sort={sort} />
            <Export filters={filters} />
          </div>
          <Results filters={filters} sort={sort} />
        </>
      ) : (
        <p className="refused" role="alert">
          {trouble}
        </p>
      )}
    </Page>
  );
}

type Question = { readonly filters: FilterValues; readonly sort: Sort };

function Results({ filters, sort }: Question) {
  const query = useInfiniteQuery({
    queryKey: ['transactions', filters, sort],
    queryFn: ({ pageParam, signal }) =>
      ask(
        'GET /v1/transactions',
        { query: { ...filters, sort, limit: PAGE_ROWS, cursor: pageParam } },
        signal,
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const rows = useMemo(() => data?.pages.flatMap(({ items }) => items) ?? [], [data]);
  const last = data?.pages.at(-1);
  // A person, and not a scroll bar, asks for the next page once the API has looked at as many rows as it may.
  const isShort = last?.complete === false;
  return (
    <Found query={query} what="transactions">
      {() => (
        <>
          {rows.length > 0 ? (
            <TransactionTable
              label="Transactions"
              rows={rows}
              more={{ hasNextPage: hasNextPage && !isShort, isFetchingNextPage, fetchNextPage }}
            />
          ) : (
            <Empty title={isShort ? 'No transaction matches so far' : 'No transaction matches'}>
              {isShort ? 'Go on, or narrow the time.' : 'Change a filter, or take one away.'}
            </Empty>
          )}
          {last && isShort ? (
            <p className="row" role="status">
              <Searched page={last} />
              {hasNextPage ? (
                <button
                  type="button"
                  disabled={isFetchingNextPage}
                  onClick={() => void fetchNextPage()}
                >
                  {isFetchingNextPage ? 'Searching …' : 'Go on'}
                </button>
              ) : null}
            </p>
          ) : null}
        </>
      )}
    </Found>
  );
}

type SearchPage = Operations['GET /v1/transactions']['answer'];

/** How far a search got that looked at as many rows as a request may. */
function Searched({ page: { searched_to: at } }: { page: SearchPage }) {
  if (at === null) return <span>Not everything is searched; there may be more.</span>;
  return (
    <span>
      Searched back to <Time at={at} />; there may be more.
    </span>
  );
}

/** A question of its own, so that rows do not wait for it. */
function Total({ filters, sort }: Question) {
  // An order by score leaves out what has none; the others do not change the number.
  const counted = sort === 'score' ? { ...filters, sort } : filters;
  const { data } = useQuery({
    queryKey: ['total', counted],
    queryFn: ({ signal }) =>
      ask('GET /v1/transactions', { query: { ...counted, limit: 1, total: true } }, signal),
  });
  if (data?.total === undefined) return <output />;
  return <output>{data.total === null ? 'Totals are off.' : toSentence(data.total)}</output>;
}

/** As many as the API counts; where it stops earlier, it has run out of rows to look at. */
const COUNTED_MAX = 10_000;

function toSentence({ count: found, more }: NonNullable<SearchPage['total']>): string {
  if (found === 1 && !more) return '1 transaction';
  const least = found >= COUNTED_MAX ? 'more than' : 'at least';
  return `${more ? `${least} ` : ''}${count(found)} transactions`;
}

const FORMATS = { csv: 'CSV', ndjson: 'NDJSON', parquet: 'Parquet' };

/** Everything that the filters find, newest first. Who may see this page may export. */
function Export({ filters }: Pick<Question, 'filters'>) {
  return (
    <nav className="row" aria-label="Export">
      Export
      {Object.entries(FORMATS).map(([format, name]) => (
        // A refusal becomes a failed download, and the page stays.
        <a
          key={format}
          href={`/v1/exports/transactions?${new URLSearchParams({ ...filters, format })}`}
          download
        >
          {name}
        </a>
      ))}
    </nav>
  );
}
