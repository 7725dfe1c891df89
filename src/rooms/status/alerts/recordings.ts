/**
 * Series that alerts read. A counter is summed over the labels whose values are not known beforehand, never over processes: a
 * sum over processes falls when one restarts, and `increase` would count the rest again.
 */
import type { Recording } from '../../../kit/alerts/alert.ts';
import { PROBES } from '../../../kit/alerts/thresholds.ts';

const DURATION = 'risk_http_request_duration_seconds';
const LATENCY = 'risk_score_latency_seconds';
const OF_REQUEST = 'method, route, status, problem';
/** A read lasts as long as its reader likes where it is an export or live. */
const LASTING = '/v1/.*exports.*|/v1/live.*|/v1/.*/live';
/** A refusal is quick, and is no read. */
const REFUSED = '.shed.';
const PROBE = PROBES.join('|');
const READS = `method="GET",route!~"${PROBE}|${LASTING}|${REFUSED}"`;

const sum = (record: string, without: string, series: string): Recording => ({
  record,
  expression: () => `sum without (${without}) (${series})`,
});

export const COUNTS: readonly Recording[] = [
  sum('risk:requests:sum', OF_REQUEST, `${DURATION}_count{route!~"${PROBE}"}`),
  sum(
    'risk:request_errors:sum',
    OF_REQUEST,
    `${DURATION}_count{route!~"${PROBE}",status=~"5..",problem=""}`,
  ),
  sum('risk:reads:sum', OF_REQUEST, `${DURATION}_count{${READS}}`),
  sum('risk:reads_in_time:sum', `le, ${OF_REQUEST}`, `${DURATION}_bucket{${READS},le="0.4"}`),
  sum('risk:scores:sum', 'corridor', `${LATENCY}_count`),
  sum('risk:scores_in_time:sum', 'le, corridor', `${LATENCY}_bucket{le="0.8"}`),
  sum('risk:dead_letters:sum', 'code', 'risk_dead_letters_total'),
  sum('risk:scored:sum', 'verdict', 'risk_transactions_scored_total'),
  sum('risk:rule_failures:sum', 'rule_set, rule', 'risk_rule_failures_total'),
  sum('risk:append_failures:sum', 'reason', 'risk_stream_append_failures_total'),
  sum('risk:model_rollbacks:sum', 'model', 'risk_model_rollbacks_total'),
  sum('risk:rule_set_rollbacks:sum', 'rule_set', 'risk_rule_set_rollbacks_total'),
];

/** Every worker and every API reports every stream, so the largest report of a stream counts. */
export const depth = (window: string) =>
  `sum by (market) (max by (market, corridor, shard) (avg_over_time(risk_stream_lag_transactions[${window}])))`;
export const age = (window: string) =>
  `max by (market, corridor) (avg_over_time(risk_stream_lag_seconds[${window}]))`;
export const durations = (share: number, window: string) =>
  `histogram_quantile(${share}, sum by (market, le) (rate(${DURATION}_bucket{route!~"${PROBE}"}[${window}])))`;
