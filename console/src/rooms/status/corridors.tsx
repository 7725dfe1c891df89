/** The corridors: what waits in each, how old it is, how long scores take, and what does not work there. */
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { Me, Status } from '../../../../src/kit/client/api-types.ts';
import { sumBy, useDays } from '../../api/days.ts';
import { useLive } from '../../api/live.ts';
import { sees, useMe } from '../../api/me.ts';
import { count, duration, localTime } from '../../format.ts';
import { Connection } from '../../parts/connection.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Page, Part } from '../../parts/page.tsx';
import { Badge } from '../../parts/show.tsx';
import { Empty, Found, Loading } from '../../parts/states.tsx';
import { LastDay, SumTable } from '../summaries/day-sums.tsx';

type Row = NonNullable<Status['corridors']>[number];

const COLUMNS: readonly Column<Row>[] = [
  { id: 'corridor', header: 'Corridor', cell: ({ corridor }) => <CorridorLink id={corridor} /> },
  {
    id: 'health',
    header: 'Service',
    cell: ({ degradation, breakers, stopped }) =>
      stopped !== null ? (
        <Badge level="critical">stopped</Badge>
      ) : degradation === 0 && breakers.length === 0 ? (
        <Badge level="fine">fine</Badge>
      ) : (
        <span title={breakers.join(', ')}>
          <Badge level={degradation >= 2 ? 'critical' : 'warning'}>level {degradation}</Badge>
        </span>
      ),
  },
  { id: 'lag', header: 'Queue', numeric: true, cell: (row) => count(row.lag) },
  { id: 'pending', header: 'At work', numeric: true, from: 2, cell: (row) => count(row.pending) },
  {
    id: 'retries',
    header: 'Retries',
    numeric: true,
    from: 2,
    cell: (row) => count(row.retries_due),
  },
  {
    ...{ id: 'oldest', header: 'Oldest', numeric: true, from: 2 },
    cell: (row) => (row.oldest_age_seconds === 0 ? '–' : duration(row.oldest_age_seconds)),
  },
  {
    ...{ id: 'p50', header: 'Latency p50', numeric: true, from: 2 },
    cell: (row) => <Latency row={row} ms={row.latency_p50_ms} />,
  },
  {
    ...{ id: 'p95', header: 'Latency p95', numeric: true },
    cell: (row) => <Latency row={row} ms={row.latency_p95_ms} />,
  },
  { id: 'dead', header: 'Dead letters', numeric: true, cell: (row) => count(row.dead_letters) },
];

/** Columns in which the same is true of the health of every corridor. */
const columnsOf = (health: ReactNode) =>
  COLUMNS.map((column) => (column.id === 'health' ? { ...column, cell: () => health } : column));
const STALE_COLUMNS = columnsOf(<Badge level="unknown">stale</Badge>);
const DEAD_COLUMNS = columnsOf(<Badge level="critical">no worker</Badge>);

function Latency({ row, ms }: { readonly row: Row; readonly ms: number | null }) {
  const { latency_transactions: looked, latency_newest_at: newest } = row;
  if (ms === null || newest === null) return '–';
  return (
    <span title={`From receipt to score, of ${count(looked)}; the newest ${localTime(newest)}`}>
      {duration(ms / 1000)}
    </span>
  );
}

/** A link for people who may open the page. */
function CorridorLink({ id }: { readonly id: string }) {
  const { data: me } = useMe();
  const isSeen = me !== undefined && me !== null && sees(me, 'analyst', 'operator', 'risk_officer');
  if (!isSeen) return <strong>{id}</strong>;
  return <Link href={`/corridors/${encodeURIComponent(id)}`}>{id}</Link>;
}

type CorridorTableProps = {
  readonly status: Pick<Status, 'corridors' | 'workers'>;
  readonly isStale: boolean;
};

export function CorridorTable({ status: { corridors, workers }, isStale }: CorridorTableProps) {
  if (corridors === null) {
    return <Empty title="Redis does not answer">What waits in it is unknown.</Empty>;
  }
  return (
    <DataTable
      label="Corridors"
      columns={isStale ? STALE_COLUMNS : workers?.live === 0 ? DEAD_COLUMNS : COLUMNS}
      rows={corridors}
      keyOf={(row) => row.corridor}
    />
  );
}

export function CorridorsPage({ me }: { readonly me: Me }) {
  const live = useLive();
  const { figures } = live;
  return (
    <Page title="Corridors" aside={<Connection live={live} status={figures?.status} />}>
      <Part title="Now">
        {figures === undefined ? (
          <Loading what="corridors" />
        ) : (
          <CorridorTable status={figures.status} isStale={live.state === 'stale'} />
        )}
      </Part>
      {sees(me, 'analyst') ? (
        <>
          <LastDay days={DAYS} />
          <Days />
        </>
      ) : null}
    </Page>
  );
}

const DAYS = 7;

function Days() {
  const query = useDays(DAYS);
  return (
    <Part title={`Last ${DAYS} days`}>
      <Found query={query} what="sums">
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nothing was accepted in these days" />
          ) : (
            <SumTable
              label={`Corridors, last ${DAYS} days`}
              of="Corridor"
              sums={sumBy(items, ({ corridor = '' }) => corridor)}
            />
          )
        }
      </Found>
    </Part>
  );
}
