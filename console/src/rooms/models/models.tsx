/** The models, what each does where, and what two people decided about it. */
import { useInfiniteQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { Link } from 'wouter';
import type { Model } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { count, person } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Page } from '../../parts/page.tsx';
import { Badge, Time } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';

export const MODEL_LEVELS: Readonly<Record<string, 'fine' | 'warning' | 'unknown'>> = {
  active: 'fine',
  canary: 'warning',
};

/** Where a model scores, as `US-EG active`. */
export function Places({ corridors }: Pick<Model, 'corridors'>) {
  if (corridors.length === 0) return <span className="muted">nowhere</span>;
  return (
    <span className="row">
      {corridors.map(({ corridor, state, canary_percent }) => (
        <Badge key={corridor} level={MODEL_LEVELS[state] ?? 'unknown'}>
          {corridor} {state}
          {state === 'canary' ? ` ${canary_percent} %` : ''}
        </Badge>
      ))}
    </span>
  );
}

const COLUMNS: readonly Column<Model>[] = [
  {
    id: 'model',
    header: 'Model',
    cell: ({ model }) => <Link href={`/models/${encodeURIComponent(model)}`}>{model}</Link>,
  },
  { id: 'where', header: 'Where', cell: ({ corridors }) => <Places corridors={corridors} /> },
  { id: 'format', header: 'Format', from: 3, cell: ({ format }) => format },
  {
    id: 'features',
    header: 'Features',
    numeric: true,
    from: 3,
    cell: (row) => count(row.features),
  },
  { id: 'by', header: 'Registered by', from: 3, cell: ({ created_by }) => person(created_by) },
  { id: 'at', header: 'Registered', from: 2, cell: ({ created_at }) => <Time at={created_at} /> },
];

export function ModelsPage() {
  const query = useInfiniteQuery({
    queryKey: ['models'],
    queryFn: ({ pageParam, signal }) =>
      ask('GET /v1/models', { query: { cursor: pageParam } }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });
  const rows = useMemo(() => query.data?.pages.flatMap(({ items }) => items) ?? [], [query.data]);
  return (
    <Page title="Models">
      <Found query={query} what="models">
        {() =>
          rows.length === 0 ? (
            <Empty title="No model is registered">
              The rules alone decide. <code>bin/risk models train</code> makes one, and{' '}
              <code>bin/risk models import</code> brings one.
            </Empty>
          ) : (
            <DataTable
              label="Models"
              columns={COLUMNS}
              rows={rows}
              keyOf={({ model }) => model}
              more={query}
            />
          )
        }
      </Found>
    </Page>
  );
}
