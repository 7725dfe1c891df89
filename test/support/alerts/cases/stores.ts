/** Cases of alerts on objectives and stores. */
import { type AlertCase, api, MARKET, steps, worker } from './case.ts';

const requests = (status: string, method = 'POST') =>
  `risk_http_request_duration_seconds_count${api(`method="${method}",route="/v1/x",status="${status}"`)}`;
const ofSlo = (slo: string) => ({ ...MARKET, slo });
const ALL_BURNS = ['critical hour', 'critical sixHours', 'warning day', 'warning threeDays'];
const OF_US = { ...MARKET, corridor: 'US-EG' };
const breaker = (name: string) => `risk_breaker_state${api(`breaker="${name}"`)}`;

export const STORE_CASES: readonly AlertCase[] = [
  {
    alert: 'BudgetBurns',
    what: 'requests: half of them fail from the hour on',
    series: { [requests('200')]: '0+100x240 24050+50x400', [requests('503')]: '0x240 50+50x400' },
    quietAt: '59m',
    fires: ALL_BURNS,
    at: '1h10m',
    labels: ofSlo('requests'),
  },
  {
    alert: 'BudgetBurns',
    what: 'requests: 0.7 % of them fail, which burns 14 times too fast',
    series: { [requests('200')]: '0+993x400', [requests('500')]: '0+7x400' },
    fires: ALL_BURNS.slice(1),
    at: '1h20m',
    labels: ofSlo('requests'),
  },
  {
    alert: 'BudgetBurns',
    what: 'reads: a fifth takes longer than 0.4 s',
    series: {
      [requests('200', 'GET')]: '0+100x400',
      [`risk_http_request_duration_seconds_bucket${api('method="GET",route="/v1/x",status="200",le="0.4"')}`]:
        '0+80x400',
    },
    fires: ALL_BURNS,
    at: '1h10m',
    labels: ofSlo('reads'),
  },
  {
    alert: 'BudgetBurns',
    what: 'reads: exports and live figures last as long as their reader likes',
    series: {
      [`risk_http_request_duration_seconds_count${api('method="GET",route="/v1/exports/transactions",status="200"')}`]:
        '0+100x400',
      [`risk_http_request_duration_seconds_bucket${api('method="GET",route="/v1/exports/transactions",status="200",le="0.4"')}`]:
        '0x400',
    },
    fires: [],
    at: '1h10m',
  },
  {
    alert: 'BudgetBurns',
    what: 'scores: nine in ten take longer than 0.8 s',
    series: {
      [`risk_score_latency_seconds_count${worker('corridor="US-EG"')}`]: '0+100x400',
      [`risk_score_latency_seconds_bucket${worker('corridor="US-EG",le="0.8"')}`]: '0+10x400',
    },
    fires: ALL_BURNS,
    at: '1h10m',
    labels: ofSlo('scores'),
  },
  {
    alert: 'BudgetBurns',
    what: 'lag: the depth is beyond 5,000 for ten minutes',
    series: {
      [`risk_stream_lag_transactions${worker('corridor="US-EG",shard="0"')}`]: steps(
        5000,
        60,
        5001,
      ),
    },
    quietAt: '59m',
    fires: ALL_BURNS,
    at: '1h10m',
    labels: ofSlo('lag'),
  },
  {
    alert: 'BudgetLow',
    what: 'one in a thousand requests failed since the start',
    series: { [requests('200')]: '0+999x400', [requests('500')]: '0+1x400' },
    fires: ['info'],
    at: '1h10m',
    labels: ofSlo('requests'),
  },
  {
    alert: 'Connections',
    what: 'all connections are busy',
    series: {
      [`risk_database_connections${api('state="busy"')}`]: steps(7, 2, 10),
      [`risk_database_connections_max${api()}`]: '10x400',
    },
    quietAt: '1m',
    fires: ['warning', 'critical'],
    at: '6m',
    labels: { role: 'api', ...MARKET, instance: 'a' },
    value: '100%',
  },
  {
    alert: 'Degraded',
    what: 'Postgres is away',
    series: { [`risk_corridor_degradation_level${api('corridor="US-EG"')}`]: steps(0, 2, 3) },
    quietAt: '1m',
    fires: ['warning', 'critical'],
    labels: OF_US,
    value: '3',
  },
  {
    alert: 'BreakerOpen',
    what: 'the breaker of Postgres opens',
    series: { [breaker('postgres')]: steps(0, 2, 2) },
    quietAt: '1m',
    fires: ['warning', 'critical'],
    labels: { ...MARKET, breaker: 'postgres' },
  },
  {
    alert: 'CorridorBreakerOpen',
    what: 'streams of a corridor cannot be written',
    series: { [breaker('streams:US-EG')]: steps(1, 2, 2) },
    quietAt: '1m',
    fires: ['critical'],
    labels: { ...OF_US, breaker: 'streams:US-EG' },
  },
  {
    alert: 'BreakerOpened',
    what: 'a breaker was open for less than a scrape',
    series: { [`risk_breaker_opened_total${api('breaker="redis"')}`]: steps(0, 2, 1) },
    quietAt: '1m',
    labels: { ...MARKET, breaker: 'redis' },
  },
  {
    alert: 'AppendFailures',
    what: 'the first failure, of a reason that was never counted before',
    series: {
      [`risk_stream_append_failures_total${api()}`]: '0x400',
      [`risk_stream_append_failures_total${api('reason="REDIS_OOM"')}`]: '_x19 1x400',
    },
    quietAt: '4m',
    at: '6m',
  },
  {
    alert: 'RedisCrowded',
    what: 'scores are settled without an event, and events were dropped',
    series: {
      [`risk_scores_unpublished_total${worker()}`]: steps(0, 2, 9),
      [`risk_event_bytes_dropped_total${worker('kind="scored"')}`]: steps(0, 2, 900),
    },
    quietAt: '1m',
    fires: ['warning', 'info'],
  },
  {
    alert: 'ReplicaBehind',
    what: 'the replica is 70 s behind',
    series: { [`risk_replica_lag_seconds${api()}`]: steps(5, 2, 70) },
    quietAt: '1m',
    fires: ['warning', 'critical'],
    at: '5m',
    value: '1m 10s',
  },
  {
    alert: 'ReplicaDown',
    what: 'the replica does not answer',
    series: { [breaker('replica')]: steps(0, 2, 2) },
    quietAt: '1m',
  },
  {
    alert: 'KafkaDown',
    what: 'no process reaches Kafka',
    series: {
      [breaker('kafka')]: steps(0, 2, 2),
      [`risk_breaker_state${worker('breaker="kafka"')}`]: steps(0, 2, 2),
    },
    quietAt: '2m30s',
    fires: ['warning', 'critical'],
    at: '8m',
  },
  {
    alert: 'KafkaDown',
    what: 'one process of two reaches Kafka',
    series: {
      [breaker('kafka')]: steps(0, 2, 2),
      [`risk_breaker_state${worker('breaker="kafka"')}`]: '0x400',
    },
    at: '20m',
  },
  {
    alert: 'KafkaDown',
    what: 'another breaker is open, and no corridor uses Kafka',
    series: { [breaker('replica')]: '2x400' },
    fires: [],
    at: '20m',
  },
  {
    alert: 'KafkaTrimmed',
    what: 'retention removed entries of a partition',
    series: { [`risk_kafka_trimmed_partitions${api('corridor="US-EG"')}`]: steps(0, 2, 1) },
    quietAt: '1m',
    labels: OF_US,
  },
  {
    alert: 'KeysUnfiltered',
    what: 'a slice has no filter for an hour',
    series: { [`risk_idempotency_slices_unfiltered${api()}`]: '1x400' },
    quietAt: '59m',
    fires: ['info'],
    at: '61m',
    labels: { role: 'api', ...MARKET, instance: 'a' },
    value: '1',
  },
  {
    alert: 'LabelsUntold',
    what: 'labels are untold for 61 s',
    series: { [`risk_labels_untold_seconds${worker()}`]: steps(60, 2, 61) },
    quietAt: '1m',
    value: '1m 1s',
  },
];
