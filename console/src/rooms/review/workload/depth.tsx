/** The waiting cases, by priority with its forecast, and by corridor. */
import type { ReviewPolicy, ReviewStatus } from '../../../../../src/kit/client/api-types.ts';
import { count, duration } from '../../../format.ts';
import { type Column, DataTable } from '../../../parts/data-table.tsx';
import { Empty } from '../../../parts/states.tsx';
import {
  type Depth,
  PRIORITIES,
  type PriorityName,
  sumWaiting,
  type Waiting,
} from '../review-live.ts';

type Row = Depth & {
  readonly name: string;
  /** The name of a priority's rule; absent for a corridor. */
  readonly title?: string;
  readonly deadlineSeconds?: number | undefined;
  readonly forecast?: ReviewStatus['forecast'][number] | undefined;
};

const age = (seconds: number | null) => (seconds === null ? '–' : duration(seconds));

/** Cases in time, near their deadline and beyond it, as parts of one bar. */
function DepthBar({ row, largest }: { readonly row: Depth; readonly largest: number }) {
  const { waiting, missed, near } = row;
  const parts = [
    ['critical', missed],
    ['warning', near],
    ['accent', waiting - missed - near],
  ] as const;
  return (
    <span className="depth" aria-hidden="true">
      {parts.map(([color, cases]) => (
        <i key={color} className={color} style={{ width: `${(cases / largest) * 100}%` }} />
      ))}
    </span>
  );
}

const figure = (
  id: string,
  header: string,
  cell: (row: Row) => string,
  from?: 2 | 3,
): Column<Row> => ({
  ...{ id, header, numeric: true, cell },
  ...(from === undefined ? {} : { from }),
});

/** A number that is marked where it is not 0. */
const marked = (
  id: 'missed' | 'near',
  header: string,
  level: 'critical' | 'warning',
): Column<Row> => ({
  ...{ id, header, numeric: true },
  cell: (row) => <span className={row[id] > 0 ? level : 'muted'}>{count(row[id])}</span>,
});

const common = [
  figure('waiting', 'Waiting', (row) => count(row.waiting)),
  figure('claimed', 'Claimed', (row) => count(row.claimed), 2),
  marked('near', 'Near', 'warning'),
  marked('missed', 'Missed', 'critical'),
  figure('age', 'Mean age', ({ ageSeconds }) => age(ageSeconds), 2),
];

export function ByPriority({
  status: { waiting, forecast },
  policy,
}: {
  readonly status: ReviewStatus;
  readonly policy: ReviewPolicy;
}) {
  const rows = PRIORITIES.map((name): Row => {
    const rule = ruleOf(policy, name);
    return {
      ...sumWaiting(waiting.filter(({ priority }) => priority === name)),
      ...{ name, title: rule?.name ?? '' },
      deadlineSeconds: rule && rule.deadline_minutes * 60,
      forecast: forecast.find(({ priority }) => priority === name),
    };
  });
  const largest = Math.max(1, ...rows.map((row) => row.waiting));
  const columns: readonly Column<Row>[] = [
    {
      ...{ id: 'priority', header: 'Priority' },
      cell: ({ name, title }) => (
        <>
          <strong>{name}</strong> <span className="muted from-2">{title}</span>
        </>
      ),
    },
    {
      ...{ id: 'depth', header: 'In time, near, missed', from: 2 },
      cell: (row) => <DepthBar row={row} largest={largest} />,
    },
    ...common,
    figure('oldest', 'Oldest', (row) => (row.waiting === 0 ? '–' : duration(row.oldestSeconds)), 3),
    figure('deadline', 'Deadline', ({ deadlineSeconds = null }) => age(deadlineSeconds), 2),
    {
      ...{ id: 'late', header: 'Will miss', numeric: true },
      cell: ({ forecast: one }) => (
        <span className={(one?.will_miss ?? 0) > 0 ? 'warning' : 'muted'}>
          {one === undefined ? '–' : count(one.will_miss)}
        </span>
      ),
    },
    figure('empty', 'Empty in', ({ forecast: one }) => emptyIn(one), 3),
  ];
  return <DataTable label="By priority" columns={columns} rows={rows} keyOf={({ name }) => name} />;
}

const ruleOf = ({ priorities }: ReviewPolicy, name: PriorityName) =>
  priorities.find(({ priority }) => `P${priority}` === name);

function emptyIn(forecast: Row['forecast']): string {
  if (forecast === undefined) return '–';
  return forecast.empty_seconds === null ? 'never' : duration(forecast.empty_seconds);
}

const CORRIDOR_COLUMNS: readonly Column<Row>[] = [
  { id: 'corridor', header: 'Corridor', cell: ({ name }) => <strong>{name}</strong> },
  ...common,
];

export function ByCorridor({ waiting }: { readonly waiting: readonly Waiting[] }) {
  if (waiting.length === 0) return <Empty title="Nothing waits in any corridor" />;
  const groups = Map.groupBy(waiting, ({ corridor }) => corridor);
  const rows = [...groups]
    .map(([name, of]): Row => ({ name, ...sumWaiting(of) }))
    .sort((a, b) => b.missed - a.missed || b.waiting - a.waiting || (a.name < b.name ? -1 : 1));
  return (
    <DataTable
      label="Review by corridor"
      columns={CORRIDOR_COLUMNS}
      rows={rows}
      keyOf={({ name }) => name}
    />
  );
}
