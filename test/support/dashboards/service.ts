/** Processes: rate, errors and durations of what they serve; use, saturation and errors of what they use. */
import {
  CPU,
  type Dashboard,
  FAILED,
  HTTP,
  largest,
  lines,
  MARKET,
  ofProcesses,
  perSecond,
  quantile,
  quantiles,
  SCORED,
  share,
  stacked,
  upTo,
} from './dashboard.ts';

const PROCESS = `${MARKET},instance=~"$instance"`;
const API = `${PROCESS},job="risk-api"`;
const [HITS, MISSES] = ['risk_cache_hits_total', 'risk_cache_misses_total'];

export const service: Dashboard = {
  name: 'service',
  title: 'processes',
  description:
    'Rate, errors and durations of requests (RED); utilisation, saturation and errors of what processes use (USE).',
  variables: [ofProcesses('market'), ofProcesses('instance')],
  rows: [
    {
      title: 'Requests: rate, errors, durations',
      panels: [
        lines('Rate by route', 'reqps', perSecond(`${HTTP}_count`, API, 'route')),
        stacked('Rate by status', 'reqps', perSecond(`${HTTP}_count`, API, 'status')),
        lines(
          'Server errors',
          'percentunit',
          share([`${HTTP}_count`, `${API},${FAILED}`], [`${HTTP}_count`, API], 'instance'),
          upTo(0.01, 0.05),
        ),
        lines('Durations', 's', quantiles(HTTP, API)),
        lines('p95 by route', 's', quantile(0.95, HTTP, API, 'route'), upTo(0.2, 0.5)),
        lines(
          'Refused before work began',
          'reqps',
          perSecond('risk_http_requests_shed_total', API, 'reason'),
        ),
      ],
    },
    {
      title: 'Batches: rate, errors, durations',
      panels: [
        lines('Scored', 'cps', perSecond(SCORED, PROCESS, 'instance')),
        lines(
          'Attempts that will be tried again',
          'cps',
          perSecond('risk_retries_total', PROCESS, 'code'),
        ),
        lines(
          'p95 of a batch, by stage',
          's',
          quantile(0.95, 'risk_batch_duration_seconds', PROCESS, 'stage'),
        ),
      ],
    },
    {
      title: 'Use: processor, memory, event loop',
      panels: [
        lines('Processors', 'short', perSecond(CPU, PROCESS, 'job, instance'), {
          note: 'A process has one processor for JavaScript.',
        }),
        lines(
          'Memory',
          'bytes',
          largest('risk_process_resident_memory_bytes', PROCESS, 'job, instance'),
        ),
        lines(
          'Delay of the event loop, p99',
          's',
          largest('risk_nodejs_eventloop_lag_p99_seconds', PROCESS, 'job, instance'),
        ),
        lines(
          'Collections of garbage',
          'percentunit',
          perSecond('risk_nodejs_gc_duration_seconds_sum', PROCESS, 'job, instance'),
          { note: 'Share of the time.' },
        ),
        stacked(
          'Connections to Postgres',
          'short',
          `sum by (job, state) (risk_database_connections{${PROCESS}})`,
        ),
        lines('Open files', 'short', largest('risk_process_open_fds', PROCESS, 'job, instance')),
      ],
    },
    {
      title: 'Use: stores and caches',
      panels: [
        lines(
          'Hits of caches',
          'percentunit',
          `${perSecond(HITS, PROCESS, 'cache, tier')} / (${perSecond(HITS, PROCESS, 'cache, tier')} + ${perSecond(MISSES, PROCESS, 'cache, tier')})`,
          upTo(0.8, 0.5),
        ),
        lines(
          'Profiles rebuilt',
          'cps',
          perSecond('risk_profile_rebuilds_total', PROCESS, 'party, reason'),
        ),
        lines(
          'Breakers',
          'none',
          `max by (breaker) (risk_breaker_state{${PROCESS},breaker!~"streams:.*"})`,
          { note: '2 is open.', ...upTo(1, 2) },
        ),
        lines(
          'Batches left to the reconciler',
          'cps',
          perSecond('risk_stream_append_failures_total', PROCESS, 'reason'),
        ),
        lines('Pauses of workers', 'cps', perSecond('risk_worker_pauses_total', PROCESS, 'code')),
        lines(
          'Snapshots of profiles',
          'cps',
          perSecond('risk_profile_snapshots_total', PROCESS, 'outcome'),
        ),
      ],
    },
  ],
};
