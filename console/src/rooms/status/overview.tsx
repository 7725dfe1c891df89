/** How the engine does: live from this API process, and by day from the tallies. */
import { useMemo } from 'react';
import type { LiveFigures, Me } from '../../../../src/kit/client/api-types.ts';
import { type Sum, sumBy, useDays } from '../../api/days.ts';
import { type Point, useLive } from '../../api/live.ts';
import { sees } from '../../api/me.ts';
import { count, duration, percent, short } from '../../format.ts';
import { Connection } from '../../parts/connection.tsx';
import { Page, Part } from '../../parts/page.tsx';
import { Plot } from '../../parts/plot.tsx';
import { Badge } from '../../parts/show.tsx';
import { Empty, Found, Loading } from '../../parts/states.tsx';
import { Tiles } from '../../parts/tiles.tsx';
import { LastDay } from '../summaries/day-sums.tsx';
import { CorridorTable } from './corridors.tsx';
import { WorkersNotice } from './workers-notice.tsx';

const DAYS = 14;

export function OverviewPage({ me }: { readonly me: Me }) {
  const live = useLive();
  const isStale = live.state === 'stale';
  return (
    <Page title="Overview" aside={<Connection live={live} status={live.figures?.status} />}>
      {live.figures === undefined ? (
        <Loading what="live figures" />
      ) : (
        <>
          {isStale ? null : <WorkersNotice workers={live.figures.status.workers} me={me} />}
          <Totals figures={live.figures} points={live.points} />
          <Signals signals={live.figures.signals} isStale={isStale} />
          <LastHour points={live.points} />
          <Part title="Corridors">
            <CorridorTable status={live.figures.status} isStale={isStale} />
          </Part>
        </>
      )}
      {sees(me, 'analyst') ? (
        <>
          <LastDay days={DAYS} />
          <Days />
        </>
      ) : null}
    </Page>
  );
}

/** Change a second over the last half minute. */
function rateOf(points: readonly Point[], field: 'accepted' | 'scored'): number | null {
  const last = points.at(-1);
  if (last === undefined) return null;
  const from = Date.parse(last.at) - 30_000;
  const first = points.find(({ at }) => Date.parse(at) >= from);
  if (first === undefined || first === last) return null;
  return (last[field] - first[field]) / ((Date.parse(last.at) - Date.parse(first.at)) / 1000);
}

/** Shortens numbers that are too wide for a tile. */
const fitting = (value: number) => (value < 10_000_000 ? count(value) : short(value));

function Totals({
  figures: { status, cache_hits_ratio: hits },
  points,
}: {
  readonly figures: LiveFigures;
  readonly points: readonly Point[];
}) {
  const { totals, corridors, latency_p95_ms: p95 } = status;
  const open = corridors?.reduce((sum, one) => sum + one.dead_letters, 0) ?? null;
  const perSecond = (field: 'accepted' | 'scored') => {
    const rate = rateOf(points, field);
    return rate === null ? 'measuring …' : `${short(rate)} a second`;
  };
  const tiles = [
    ['Accepted', fitting(totals.accepted), perSecond('accepted')],
    ['Scored', fitting(totals.scored), perSecond('scored')],
    ['Pending', totals.pending === null ? 'unknown' : count(totals.pending), 'not final yet'],
    [
      'Latency p95',
      isOld(status) || p95 === null ? '–' : duration(p95 / 1000),
      latencyNote(status),
    ],
    ['Dead letters', open === null ? 'unknown' : count(open), 'open'],
    ['Cache hits', hits === null ? '–' : percent(hits), 'last minute'],
  ] as const;
  return <Tiles label="Totals" tiles={tiles} />;
}

type Scored = Pick<LiveFigures['status'], 'at' | 'latency_newest_at'>;

const ageSeconds = ({ at, latency_newest_at: newest }: Scored) =>
  newest === null ? 0 : (Date.parse(at) - Date.parse(newest)) / 1000;

/** Whether nothing was scored in the last minute, so that the latency is not current. */
const isOld = (status: Scored) => ageSeconds(status) > 60;

/** The p50 with the size of its sample, or an old p95 with its age. */
function latencyNote(status: LiveFigures['status']): string {
  const { latency_p50_ms: p50, latency_p95_ms: p95, latency_transactions: looked } = status;
  if (p50 === null || p95 === null) return 'receipt to score';
  if (isOld(status)) return `${duration(p95 / 1000)}, ${duration(ageSeconds(status))} ago`;
  return `p50 ${duration(p50 / 1000)} of ${count(looked)}`;
}

const SIGNAL_NAMES: Readonly<Record<LiveFigures['signals'][number]['signal'], string>> = {
  api_p95_ms: 'API p95',
  api_errors_ratio: 'API errors',
  queue_entries: 'Queue',
  worker_lag_seconds: 'Lag',
  database_connections_ratio: 'Connections',
};

function signalText(signal: LiveFigures['signals'][number]['signal'], value: number): string {
  if (signal === 'api_p95_ms') return duration(value / 1000);
  if (signal === 'worker_lag_seconds') return duration(value);
  return signal === 'queue_entries' ? count(value) : percent(value);
}

type SignalsProps = { readonly signals: LiveFigures['signals']; readonly isStale: boolean };

function Signals({ signals, isStale }: SignalsProps) {
  return (
    <ul className="signals" aria-label="Signals">
      {signals.map(({ signal, meaning, value, warning, critical, runbook, level }) => (
        <li
          key={signal}
          className={isStale ? 'unknown' : level}
          title={`${meaning} Warning from ${signalText(signal, warning)}, critical from ${signalText(signal, critical)}.`}
        >
          <span>
            {SIGNAL_NAMES[signal]}
            {isStale || level === 'fine' || level === 'unknown' ? null : (
              <>
                {' '}
                <a href={runbook} target="_blank" rel="noreferrer">
                  Runbook
                </a>
              </>
            )}
          </span>
          <strong>{value === null ? '–' : signalText(signal, value)}</strong>
          <Badge level={isStale ? 'unknown' : level}>
            {isStale ? 'stale' : value === null ? 'idle' : level === 'unknown' ? 'few' : level}
          </Badge>
        </li>
      ))}
    </ul>
  );
}

/** Differences between neighbouring points, by second. */
function rates(points: readonly Point[], field: 'accepted' | 'scored'): (number | null)[] {
  return points.map((point, at) => {
    const before = points[at - 1];
    if (before === undefined) return null;
    const seconds = (Date.parse(point.at) - Date.parse(before.at)) / 1000;
    return (point[field] - before[field]) / seconds;
  });
}

const milliseconds = (value: number) => duration(value / 1000);

function LastHour({ points }: { readonly points: readonly Point[] }) {
  const plotted = useMemo(() => {
    const valuesOf = (field: Exclude<keyof Point, 'at'>) => points.map((point) => point[field]);
    const filled = { color: 'accent', filled: true } as const;
    return {
      times: points.map(({ at }) => Date.parse(at) / 1000),
      rates: [
        { label: 'accepted', color: 'muted', values: rates(points, 'accepted') },
        { label: 'scored', values: rates(points, 'scored'), ...filled },
      ],
      latency: [
        { label: 'p50', color: 'muted', values: valuesOf('latency_p50_ms') },
        { label: 'p95', values: valuesOf('latency_p95_ms'), ...filled },
      ],
      pending: [{ label: 'pending', values: valuesOf('pending'), ...filled }],
      lag: [{ label: 'oldest', values: valuesOf('lag_seconds'), ...filled }],
    } as const;
  }, [points]);
  const { times } = plotted;
  return (
    <>
      <div className="pair">
        <Part title="Transactions a second, last hour">
          <Plot label="Transactions a second" times={times} lines={plotted.rates} />
        </Part>
        <Part title="Receipt to score, ms, last hour">
          <Plot
            label="Milliseconds from receipt to score"
            times={times}
            lines={plotted.latency}
            format={milliseconds}
          />
        </Part>
      </div>
      <div className="pair">
        <Part title="Pending, last hour">
          <Plot label="Pending transactions" times={times} lines={plotted.pending} />
        </Part>
        <Part title="Lag, s, last hour">
          <Plot
            label="Lag: age of the oldest pending transaction"
            times={times}
            lines={plotted.lag}
            format={duration}
          />
        </Part>
      </div>
    </>
  );
}

function Days() {
  const query = useDays(DAYS);
  return (
    <Part title={`Verdicts by day, last ${DAYS} days`}>
      <Found query={query} what="days">
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nothing was accepted in these days">
              Days are those of created_at, in UTC.
            </Empty>
          ) : (
            <DayPlots days={sumBy(items, ({ day }) => day)} />
          )
        }
      </Found>
    </Part>
  );
}

function DayPlots({ days }: { readonly days: readonly Sum[] }) {
  const times = days.map(({ name }) => Date.parse(name) / 1000);
  const all = { label: 'Verdicts by day', isDaily: true, times, format: count };
  const values = (name: 'approve' | 'review' | 'decline') => days.map((day) => day[name]);
  return (
    <div className="pair">
      <Plot
        {...all}
        lines={[{ label: 'approve', color: 'fine', values: values('approve'), filled: true }]}
      />
      <Plot
        {...all}
        lines={[
          { label: 'review', color: 'warning', values: values('review') },
          { label: 'decline', color: 'critical', values: values('decline') },
        ]}
      />
    </div>
  );
}
