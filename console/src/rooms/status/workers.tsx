/** Lists the workers with their state, rate and pending entries. */
import { useQuery } from '@tanstack/react-query';
import type { Worker } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { usePolling } from '../../api/presence.ts';
import { count, tenths } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Page } from '../../parts/page.tsx';
import { Badge, Id, Time } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';

/** Time between the reports of a worker. */
const ASK_EVERY_MS = 3000;
const LEVELS = { live: 'fine', draining: 'warning', silent: 'critical' } as const;

const COLUMNS: readonly Column<Worker>[] = [
  { id: 'worker', header: 'Worker', cell: (row) => <Id id={row.worker} chars={24} /> },
  {
    id: 'state',
    header: 'State',
    cell: ({ state }) => <Badge level={LEVELS[state]}>{state}</Badge>,
  },
  { id: 'started', header: 'Since', from: 2, cell: (row) => <Time at={row.started_at} /> },
  { id: 'seen', header: 'Last seen', from: 3, cell: (row) => <Time at={row.seen_at} /> },
  {
    id: 'rate',
    header: 'Scores a second',
    numeric: true,
    cell: ({ scored_per_second: rate }) => (rate === null ? '–' : tenths(rate)),
  },
  { id: 'pending', header: 'Pending entries', numeric: true, cell: (row) => count(row.pending) },
  { id: 'version', header: 'Version', from: 2, cell: (row) => row.version ?? '–' },
  {
    id: 'corridors',
    header: 'Corridors, last minute',
    from: 2,
    cell: ({ corridors }) => <span className="wrap">{corridors.join(', ') || '–'}</span>,
  },
];

export function WorkersPage() {
  const query = useQuery({
    queryKey: ['workers'],
    queryFn: ({ signal }) => ask('GET /v1/workers', {}, signal),
    refetchInterval: usePolling(ASK_EVERY_MS),
  });
  return (
    <Page title="Workers">
      <Found query={query} what="workers">
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No worker runs">
              Nothing is scored. Start one: <code>docker compose up -d worker</code>, or{' '}
              <code>bin/risk worker</code>.
            </Empty>
          ) : (
            <DataTable label="Workers" columns={COLUMNS} rows={items} keyOf={(row) => row.worker} />
          )
        }
      </Found>
      <p className="muted small">
        A silent worker was killed, frozen or cut off. Other workers take over its entries after{' '}
        <code>RISK_CLAIM_IDLE_MS</code>. To add a worker, run{' '}
        <code>docker compose up -d --scale worker=2 worker</code>, or <code>bin/risk worker</code>{' '}
        once more.
      </p>
    </Page>
  );
}
