/** Examples of what operators ask and decide. */
import type { LatencyJson } from './queries/latency.ts';
import type { LiveFigures } from './queries/live-figures.ts';
import type { StatusJson } from './queries/pipeline-status.ts';

const latency = (transactions: number): LatencyJson => ({
  ...{ latency_p50_ms: 18, latency_p95_ms: 61 },
  ...{ latency_transactions: transactions, latency_newest_at: '2026-11-20T09:29:59.870Z' },
});

export const status: StatusJson = {
  at: '2026-11-20T09:30:00.000Z',
  postgres: 'up',
  replica: { state: 'up', lag_ms: 12 },
  redis: 'up',
  corridors: [
    {
      corridor: 'US-EG',
      lag: 120,
      pending: 40,
      handed_over: 0,
      retries_due: 1,
      oldest_age_seconds: 0.4,
      dead_letters: 3,
      ...latency(480),
      breakers: [],
      degradation: 0,
    },
  ],
  unappended: 0,
  breakers: [],
  degradation: 0,
  ...latency(1000),
  totals: { accepted: 1_204_113, scored: 1_203_949, dead_lettered: 3, pending: 161 },
  totals_counted_at: '2026-11-20T09:30:00.000Z',
};

export const live: LiveFigures = {
  status,
  signals: [
    {
      ...{ signal: 'queue_entries', meaning: 'Transactions that no worker has read yet.' },
      ...{ value: 120, warning: 500, critical: 2000, level: 'fine' },
    },
  ],
  cache_hits_ratio: 0.94,
};
