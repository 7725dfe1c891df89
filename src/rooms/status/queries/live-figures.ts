/**
 * Live figures of the console: the status of the pipeline, and the few figures that somebody is woken by, each with its two
 * thresholds. Figures of requests, caches and connections are those of this API process.
 */
import { z } from 'zod';
import { RUNBOOKS_PATH } from '../../../kit/http/problems-page.ts';
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import { keysOf } from '../../../kit/words/keys-of.ts';
import { type StatusJson, statusSchema } from './pipeline-status.ts';

/** From the warning on somebody should look; from the critical value on somebody must act. A test compares the alerts with these numbers. */
export const THRESHOLDS = {
  api_p95_seconds: { warning: 0.2, critical: 0.5 },
  api_errors_ratio: { warning: 0.01, critical: 0.05 },
  queue_depth_transactions: { warning: 500, critical: 2000 },
  queue_age_seconds: { warning: 30, critical: 120 },
  database_connections_ratio: { warning: 0.7, critical: 0.9 },
} as const;

/** Requests of probes, scrapers and open pages, which say nothing about the service. */
export const PROBES = ['/livez', '/readyz', '/metrics'] as const;
/**
 * Least requests of a minute for which durations and errors are judged. Smaller: two slow requests make a warning; larger: a
 * quiet engine is never judged.
 */
export const REQUESTS_MIN = 20;
/** Errors from which the share of errors is judged, even with fewer requests than REQUESTS_MIN. */
export const ERRORS_MIN = 3;

/** Length of the "last minute". */
const WINDOW_MS = 60_000;

const SIGNALS = {
  api_p95_ms: {
    warning: THRESHOLDS.api_p95_seconds.warning * 1000,
    critical: THRESHOLDS.api_p95_seconds.critical * 1000,
    runbook: 'HighAPILatency',
    meaning: 'Duration of 95 % of requests, last minute.',
  },
  api_errors_ratio: {
    ...THRESHOLDS.api_errors_ratio,
    runbook: 'ServerErrors',
    meaning:
      'Requests answered 5xx, last minute; refusals of what people have stopped or frozen are no errors.',
  },
  queue_entries: {
    ...THRESHOLDS.queue_depth_transactions,
    runbook: 'HighQueueDepth',
    meaning: 'Transactions that no worker has read yet, mean of the last minute.',
  },
  worker_lag_seconds: {
    ...THRESHOLDS.queue_age_seconds,
    runbook: 'HighQueueAge',
    meaning: 'Age of the oldest pending entry.',
  },
  database_connections_ratio: {
    ...THRESHOLDS.database_connections_ratio,
    runbook: 'Connections',
    meaning: 'Pool of this process in use, mean of the last minute.',
  },
} as const;
type SignalName = keyof typeof SIGNALS;
export const SIGNAL_NAMES = keysOf(SIGNALS);
export const runbookOf = (signal: SignalName) =>
  `${RUNBOOKS_PATH}#${SIGNALS[signal].runbook.toLowerCase()}`;

export const liveSchema = z
  .object({
    status: statusSchema,
    signals: z.array(
      z.object({
        signal: z.enum(SIGNAL_NAMES),
        meaning: z.string(),
        value: z.number().nullable().meta({ description: 'Null: nothing to measure, or unknown.' }),
        warning: z.number(),
        critical: z.number(),
        runbook: z.string().meta({ description: 'What to do: a path of this API.' }),
        level: z.enum(['fine', 'warning', 'critical', 'unknown']).meta({
          description: `Unknown: there is no value, or fewer than ${REQUESTS_MIN} requests made it.`,
        }),
      }),
    ),
    cache_hits_ratio: z.number().nullable().meta({
      description: 'Share of cached reads that memory answered, last minute. Null: there was none.',
    }),
  })
  .meta({ id: 'LiveFigures' });
type LiveFigures = z.infer<typeof liveSchema>;

/** A point of the plots of the last hour. */
export function toPoint({ status }: LiveFigures) {
  const { at, totals, corridors, latency_newest_at: newest } = status;
  const { accepted, scored, dead_lettered, pending } = totals;
  // The sample is of the newest scores, however old they are.
  const isRecent = newest !== null && Date.parse(at) - Date.parse(newest) < WINDOW_MS;
  return {
    at,
    accepted,
    scored,
    dead_lettered,
    pending,
    lag_seconds: corridors && oldestOf(corridors),
    latency_p50_ms: isRecent ? status.latency_p50_ms : null,
    latency_p95_ms: isRecent ? status.latency_p95_ms : null,
  };
}

const oldestOf = (corridors: NonNullable<StatusJson['corridors']>) =>
  Math.max(0, ...corridors.map((corridor) => corridor.oldest_age_seconds));

/** Lag that `risk_stream_lag_transactions` sums up: transactions in flight are no queue. */
const lagOf = (corridors: NonNullable<StatusJson['corridors']>) =>
  corridors.reduce((sum, { lag }) => sum + lag, 0);

const P95 = 0.95;

type Dependencies = {
  readonly readStatus: () => Promise<StatusJson>;
  readonly metrics: Pick<Metrics, 'httpDuration' | 'cacheHits' | 'cacheMisses'>;
  /** Share of the pool that is in use, 0 to 1. */
  readonly poolInUse: () => number;
  /** Monotonic clock. */
  readonly nowMs: () => number;
};

type Seen = Awaited<ReturnType<typeof look>>;

export function createReadLive(dependencies: Dependencies): () => Promise<LiveFigures> {
  /** Oldest first; the first is the newest that is as old as the window, or older. */
  const history: Seen[] = [];
  return async () => {
    const now = await look(dependencies);
    history.push(now);
    while ((history[1]?.atMs ?? Number.POSITIVE_INFINITY) <= now.atMs - WINDOW_MS) history.shift();
    const before = history[0] ?? now;
    const requests = now.requests - before.requests;
    const errors = now.errors - before.errors;
    const [hits, misses] = [now.hits - before.hits, now.misses - before.misses];
    const isFew = requests < REQUESTS_MIN;
    const errorsRatio = requests === 0 ? null : errors / requests;
    return {
      status: now.status,
      signals: [
        judge('api_p95_ms', percentileMs(before, now), isFew),
        judge('api_errors_ratio', errorsRatio, isFew && errors < ERRORS_MIN),
        judge('queue_entries', meanOf(history.map(({ depth }) => depth))),
        judge('worker_lag_seconds', now.status.corridors && oldestOf(now.status.corridors)),
        judge('database_connections_ratio', meanOf(history.map(({ inUse }) => inUse))),
      ],
      cache_hits_ratio: hits + misses === 0 ? null : hits / (hits + misses),
    };
  };
}

/** Mean of the figures that are known: a batch that waits for a moment is no queue. Null while the newest is unknown. */
function meanOf(figures: readonly (number | null)[]): number | null {
  const known = figures.filter((figure) => figure !== null);
  if (figures.at(-1) === null) return null;
  return known.reduce((sum, figure) => sum + figure, 0) / known.length;
}

function judge(
  signal: SignalName,
  value: number | null,
  isFew = false,
): LiveFigures['signals'][number] {
  const { warning, critical, meaning } = SIGNALS[signal];
  const known = { signal, meaning, value, warning, critical, runbook: runbookOf(signal) };
  if (value === null || isFew) return { ...known, level: 'unknown' };
  if (value >= critical) return { ...known, level: 'critical' };
  return { ...known, level: value >= warning ? 'warning' : 'fine' };
}

/** The status now; requests so far, also by upper bound of their duration in seconds; and reads of caches so far. */
async function look({ readStatus, metrics, poolInUse, nowMs }: Dependencies) {
  const buckets = new Map<number, number>();
  let [requests, errors] = [0, 0];
  const { values } = await metrics.httpDuration.get();
  // Live answers are not among the durations: they last.
  for (const { metricName, labels, value } of values) {
    if (PROBES.some((probe) => probe === labels.route)) continue;
    const bound = Number('le' in labels ? labels.le : Number.NaN);
    if (metricName?.endsWith('_bucket') && Number.isFinite(bound)) {
      buckets.set(bound, (buckets.get(bound) ?? 0) + value);
    } else if (metricName?.endsWith('_count')) {
      requests += value;
      if (String(labels.status).startsWith('5') && labels.problem === undefined) errors += value;
    }
  }
  const [hits, misses] = [await sumOf(metrics.cacheHits), await sumOf(metrics.cacheMisses)];
  const atMs = nowMs();
  const status = await readStatus();
  /** Null where the figure is unknown. */
  const depth = status.corridors && lagOf(status.corridors);
  const inUse = status.postgres === 'up' ? poolInUse() : null;
  return { atMs, status, buckets, requests, errors, hits, misses, depth, inUse };
}

const sumOf = async (counter: Metrics['cacheHits']) =>
  (await counter.get()).values.reduce((sum, { value }) => sum + value, 0);

/** Interpolates within the bucket of the 95th percentile; the largest bound where the percentile lies beyond. */
function percentileMs(before: Seen, now: Seen): number | null {
  const requests = now.requests - before.requests;
  if (requests === 0) return null;
  const rank = P95 * requests;
  let [below, lower] = [0, 0];
  for (const [bound, total] of [...now.buckets].sort(([a], [b]) => a - b)) {
    const count = total - (before.buckets.get(bound) ?? 0);
    if (count >= rank) return (lower + ((bound - lower) * (rank - below)) / (count - below)) * 1000;
    [below, lower] = [count, bound];
  }
  return lower * 1000;
}
