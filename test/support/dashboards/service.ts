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
  one,
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
        lines('Rate by route', 'reqps', one(perSecond(`${HTTP}_count`, API, 'route'), '{{route}}')),
        stacked(
          'Rate by status',
          'reqps',
          one(perSecond(`${HTTP}_count`, API, 'status'), '{{status}}'),
        ),
        lines(
          'Server errors',
          'percentunit',
          one(
            share([`${HTTP}_count`, `${API},${FAILED}`], [`${HTTP}_count`, API], 'instance'),
            '{{instance}}',
          ),
          upTo(0.01, 0.05),
        ),
        lines('Durations', 's', quantiles(HTTP, API)),
        lines(
          'p95 by route',
          's',
          one(quantile(0.95, HTTP, API, 'route'), '{{route}}'),
          upTo(0.2, 0.5),
        ),
        lines(
          'Refused before work began',
          'reqps',
          one(perSecond('risk_http_requests_shed_total', API, 'reason'), '{{reason}}'),
        ),
      ],
    },
    {
      title: 'Batches: rate, errors, durations',
      panels: [
        lines('Scored', 'cps', one(perSecond(SCORED, PROCESS, 'instance'), '{{instance}}')),
        lines(
          'Attempts that will be tried again',
          'cps',
          one(perSecond('risk_retries_total', PROCESS, 'code'), '{{code}}'),
        ),
        lines(
          'p95 of a batch, by stage',
          's',
          one(quantile(0.95, 'risk_batch_duration_seconds', PROCESS, 'stage'), '{{stage}}'),
        ),
      ],
    },
    {
      title: 'Use: processor, memory, event loop',
      panels: [
        lines(
          'Processors',
          'short',
          one(perSecond(CPU, PROCESS, 'job, instance'), '{{job}} {{instance}}'),
          { note: 'A process has one processor for JavaScript.' },
        ),
        lines(
          'Memory',
          'bytes',
          one(
            largest('risk_process_resident_memory_bytes', PROCESS, 'job, instance'),
            '{{job}} {{instance}}',
          ),
        ),
        lines(
          'Delay of the event loop, p99',
          's',
          one(
            largest('risk_nodejs_eventloop_lag_p99_seconds', PROCESS, 'job, instance'),
            '{{job}} {{instance}}',
          ),
        ),
        lines(
          'Collections of garbage',
          'percentunit',
          one(
            perSecond('risk_nodejs_gc_duration_seconds_sum', PROCESS, 'job, instance'),
            '{{job}} {{instance}}',
          ),
          { note: 'Share of the time.' },
        ),
        stacked(
          'Connections to Postgres',
          'short',
          one(`sum by (job, state) (risk_database_connections{${PROCESS}})`, '{{job}} {{state}}'),
        ),
        lines(
          'Open files',
          'short',
          one(largest('risk_process_open_fds', PROCESS, 'job, instance'), '{{job}} {{instance}}'),
        ),
      ],
    },
    {
      title: 'Use: stores and caches',
      panels: [
        lines(
          'Hits of caches',
          'percentunit',
          one(
            `${perSecond(HITS, PROCESS, 'cache, tier')} / (${perSecond(HITS, PROCESS, 'cache, tier')} + ${perSecond(MISSES, PROCESS, 'cache, tier')})`,
            '{{cache}} {{tier}}',
          ),
          upTo(0.8, 0.5),
        ),
        lines(
          'Profiles rebuilt',
          'cps',
          one(
            perSecond('risk_profile_rebuilds_total', PROCESS, 'party, reason'),
            '{{party}} {{reason}}',
          ),
        ),
        lines(
          'Breakers',
          'none',
          one(
            `max by (breaker) (risk_breaker_state{${PROCESS},breaker!~"streams:.*"})`,
            '{{breaker}}',
          ),
          { note: '2 is open.', ...upTo(1, 2) },
        ),
        lines(
          'Batches left to the reconciler',
          'cps',
          one(perSecond('risk_stream_append_failures_total', PROCESS, 'reason'), '{{reason}}'),
        ),
        lines(
          'Pauses of workers',
          'cps',
          one(perSecond('risk_worker_pauses_total', PROCESS, 'code'), '{{code}}'),
        ),
        lines(
          'Snapshots of profiles',
          'cps',
          one(perSecond('risk_profile_snapshots_total', PROCESS, 'outcome'), '{{outcome}}'),
        ),
      ],
    },
  ],
};
