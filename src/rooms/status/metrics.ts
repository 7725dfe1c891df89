/** Metrics of the room of status. */
import type { MakeMetrics } from '../../kit/metrics/make-metrics.ts';

export const createStatusMetrics = ({ gauge }: MakeMetrics) => ({
  backlog: gauge(
    'risk_backlog_transactions',
    'Transactions that are accepted and neither final nor on hold, of the market: what autoscaling of workers reads.',
  ),
});
