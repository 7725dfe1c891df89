/** How the work goes: the shift of the person logged in, what will be late, what the policy proposes, and how many officers it takes. */
import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { ReviewCapacity, ReviewStatus } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { usePolling } from '../../api/presence.ts';
import { count, duration, number, percent } from '../../format.ts';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { startOfToday } from '../../parts/local-time.ts';
import { Part } from '../../parts/page.tsx';
import { Facts } from '../../parts/show.tsx';
import { Empty, Found } from '../../parts/states.tsx';
import { Tiles } from '../../parts/tiles.tsx';
import { QUEUE_EVERY_MS, REVIEWS } from './cases.ts';
import { PriorityMark } from './marks.tsx';

export function useStatus(): UseQueryResult<ReviewStatus> {
  return useQuery({
    queryKey: [REVIEWS, 'status'],
    queryFn: ({ signal }) => ask('GET /v1/reviews/status', {}, signal),
    refetchInterval: usePolling(QUEUE_EVERY_MS),
  });
}

export function Shift() {
  const since = startOfToday();
  const { data } = useQuery({
    queryKey: [REVIEWS, 'shift', since],
    queryFn: ({ signal }) => ask('GET /v1/reviews/shift', { query: { since } }, signal),
    refetchInterval: usePolling(QUEUE_EVERY_MS),
  });
  const tiles: readonly (readonly [string, string, string])[] = [
    [
      'You decided today',
      data === undefined ? '–' : count(data.decided),
      data === undefined || data.decided === 0
        ? 'nothing yet'
        : `${count(data.fraud)} fraud, ${count(data.legitimate)} legitimate, ${count(data.unsure)} unsure`,
    ],
    [
      'Median time',
      data === undefined || data.handling_seconds === null ? '–' : duration(data.handling_seconds),
      data?.handling_seconds === null && data.decided > 0
        ? 'too few cases so far'
        : 'from claim to decision',
    ],
    [
      'In time',
      data === undefined || data.decided === 0 ? '–' : percent(data.in_time / data.decided),
      'before the deadline',
    ],
    ['Undone', data === undefined ? '–' : count(data.undone), 'taken back today'],
  ];
  return <Tiles label="Your shift" tiles={tiles} />;
}

/** `20 reviews an hour each, as the policy says` */
export const paceOf = ({
  handling_seconds: seconds,
  reviews_per_hour: perHour,
}: ReviewStatus['measured']) =>
  `${number(perHour)} reviews an hour each, ${seconds === null ? 'as the policy says' : 'as measured'}`;

type Row = ReviewStatus['forecast'][number];

const alarming = (value: number) => (value === 0 ? '0' : <b className="late">{count(value)}</b>);

const FORECAST_COLUMNS: readonly Column<Row>[] = [
  {
    ...{ id: 'priority', header: 'Priority' },
    cell: ({ priority }) => <PriorityMark priority={priority} />,
  },
  { id: 'open', header: 'Open', numeric: true, cell: (row) => count(row.waiting) },
  { id: 'missed', header: 'Late', numeric: true, cell: (row) => alarming(row.missed) },
  { id: 'will', header: 'Will be late', numeric: true, cell: (row) => alarming(row.will_miss) },
  {
    ...{ id: 'empty', header: 'Empty in', numeric: true },
    cell: ({ empty_seconds: s }) => (s === null ? 'never' : duration(s)),
  },
];

export function Forecast({ status }: { readonly status: UseQueryResult<ReviewStatus> }) {
  const officers = status.data?.officers_at_work ?? 0;
  const measured = status.data?.measured;
  return (
    <Part
      title="Forecast"
      aside={
        <span className="muted small">
          {`${count(officers)} at work now`}
          {measured === undefined ? '' : `, ${paceOf(measured)}`}
        </span>
      }
    >
      <Found query={status} what="the forecast">
        {({ forecast }) =>
          forecast.length === 0 ? (
            <Empty title="Nothing waits" />
          ) : (
            <DataTable
              label="Forecast by priority"
              columns={FORECAST_COLUMNS}
              rows={forecast}
              keyOf={({ priority }) => priority}
            />
          )
        }
      </Found>
    </Part>
  );
}

export function Capacity() {
  const query = useQuery({
    queryKey: ['review-capacity'],
    queryFn: ({ signal }) => ask('GET /v1/reviews/capacity', {}, signal),
    staleTime: 60_000,
  });
  return (
    <Part title="Capacity" aside={<span className="muted small">of the last 7 days</span>}>
      <Found query={query} what="capacity">
        {(found) => <CapacityFacts found={found} />}
      </Found>
    </Part>
  );
}

const UNKNOWN = 'too little is known yet';

function CapacityFacts({ found }: { readonly found: ReviewCapacity }) {
  const { utilisation, utilisation_max: bound, hire, unknown } = found;
  const isOver = utilisation === null || utilisation > bound;
  const lacks = (...names: readonly (typeof unknown)[number][]) =>
    names.some((name) => unknown.includes(name));
  const isLoadUnknown = lacks('transactions_per_day', 'auto_clear_ratio');
  return (
    <>
      <Facts
        rows={[
          [
            'Officers',
            lacks('officers')
              ? UNKNOWN
              : `${number(found.officers)} decided cases${isLoadUnknown ? '' : `, ${count(found.officers_min)} needed`}`,
          ],
          [
            'Utilisation',
            hire === null ? (
              UNKNOWN
            ) : (
              <span key="utilisation" className={isOver ? 'late' : ''}>
                {utilisation === null
                  ? 'nobody does the work'
                  : `${percent(utilisation)} of ${percent(bound)} allowed`}
              </span>
            ),
          ],
          ['To hire', hire === null ? UNKNOWN : hire === 0 ? 'nobody' : count(hire)],
          ['Reviews a day', isLoadUnknown ? UNKNOWN : number(found.reviews_per_day)],
          [
            'An officer does',
            `${number(found.reviews_per_hour)} an hour, ${lacks('reviews_per_hour') ? 'as the policy says' : 'as measured'}`,
          ],
          [
            'Clears by itself',
            lacks('auto_clear_ratio') ? UNKNOWN : percent(found.auto_clear_ratio),
          ],
        ]}
      />
      <Missing unknown={unknown} />
    </>
  );
}

const MISSING: Readonly<Record<ReviewCapacity['unknown'][number], string>> = {
  transactions_per_day: 'transactions of a whole day',
  auto_clear_ratio: '10 cases of those days',
  officers: '10 final decisions',
  reviews_per_hour: '10 cases that people decided one by one within more than 30 minutes',
};

/** The facts that are missing to measure all figures. */
export function Missing({ unknown }: Pick<ReviewCapacity, 'unknown'>) {
  if (unknown.length === 0) return null;
  return (
    <p className="muted small">
      {`These are missing to measure all: ${unknown.map((name) => MISSING[name]).join('; ')}.`}
    </p>
  );
}
