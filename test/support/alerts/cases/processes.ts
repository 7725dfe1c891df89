/** Cases of alerts on queues and processes. */
import { type AlertCase, api, MARKET, steps, worker } from './case.ts';

const lag = (corridor: string) =>
  `risk_stream_lag_transactions${worker(`corridor="${corridor}",shard="0"`)}`;
const lagOfApi = (corridor: string) =>
  `risk_stream_lag_transactions${api(`corridor="${corridor}",shard="0"`)}`;
const US = 'corridor="US-EG"';
const OF_CORRIDOR = { ...MARKET, corridor: 'US-EG' };

export const PROCESS_CASES: readonly AlertCase[] = [
  {
    alert: 'HighQueueDepth',
    what: 'two corridors have 1,500 each; an API reports the same as a worker',
    series: {
      [lag('US-EG')]: steps(0, 2, 1500),
      [lagOfApi('US-EG')]: steps(0, 2, 1500),
      [lag('GB-NG')]: steps(0, 2, 1500),
    },
    quietAt: '1m',
    fires: ['warning', 'critical', 'warning worker up'],
    at: '10m',
    value: '3k',
  },
  {
    alert: 'HighQueueDepth',
    what: 'a batch of 1,000 waits for one scrape',
    series: { [lag('US-EG')]: '0x7 1000 0x40' },
    fires: [],
    at: '2m',
  },
  {
    alert: 'HighQueueAge',
    what: 'a corridor waits for 130 s',
    series: { [`risk_stream_lag_seconds${worker(`${US},shard="0"`)}`]: steps(0, 2, 130) },
    quietAt: '1m',
    fires: ['warning worker up', 'critical'],
    at: '5m',
    labels: OF_CORRIDOR,
    value: '2m 10s',
  },
  {
    alert: 'LowQueueDepth',
    what: 'nothing waits for half an hour',
    series: { [lag('US-EG')]: '3x400' },
    quietAt: '29m',
    fires: ['info worker down'],
    at: '31m',
  },
  {
    alert: 'NoWorkers',
    what: 'the series of the only worker end',
    series: { [`risk_degradation_level${api()}`]: '0x400', [lag('US-EG')]: '0x20 stale' },
    quietAt: '5m',
    fires: ['critical'],
    at: '8m',
  },
  {
    alert: 'NoAPI',
    what: 'the series of the only API end',
    series: {
      [`risk_degradation_level${worker()}`]: '0x400',
      [`risk_degradation_level${api()}`]: '0x20 stale',
    },
    quietAt: '5m',
    fires: ['critical'],
    at: '8m',
  },
  {
    alert: 'ProcessSilent',
    what: 'a process does not answer for a minute',
    series: { 'up{job="risk-worker",instance="w"}': steps(1, 2, 0) },
    quietAt: '2m',
    at: '5m',
    labels: { job: 'risk-worker', instance: 'w' },
  },
  {
    alert: 'AllSilent',
    what: 'the last process does not answer for a minute',
    series: { 'up{job="risk-worker",instance="w"}': steps(1, 2, 0) },
    quietAt: '2m',
    fires: ['critical'],
    at: '5m',
    labels: {},
  },
  ...(['worker', 'api'] as const).map((role) => ({
    alert: role === 'worker' ? 'BusyWorkers' : 'BusyAPI',
    what: 'a process whose container has half a processor computes for 6 of 15 s',
    series: {
      [`risk_process_cpu_seconds_total{role="${role}",instance="p"}`]: '0+6x400',
      [`risk_processor_limit_cores{role="${role}",instance="p"}`]: '0.5x400',
    },
    quietAt: '4m',
    fires: [`warning ${role} up`],
    at: '10m',
    labels: { role },
    value: '80%',
  })),
  {
    alert: 'LargeAPI',
    what: 'nine tenths of the memory are used',
    series: {
      [`risk_process_resident_memory_bytes${api()}`]: steps(50, 2, 90),
      [`risk_memory_limit_bytes${api()}`]: '100x400',
    },
    quietAt: '2m',
    fires: ['warning api up'],
    at: '6m',
    labels: { role: 'api', ...MARKET, instance: 'a' },
    value: '90%',
  },
  {
    alert: 'CrowdedAPI',
    what: '120 requests are in flight',
    series: { [`risk_http_requests_in_flight${api()}`]: steps(100, 2, 120) },
    quietAt: '1m',
    fires: ['warning api up'],
    at: '6m',
    value: '120',
  },
  {
    alert: 'RuleFails',
    what: 'a rule throws for the first time',
    series: {
      [`risk_rule_failures_total${worker()}`]: '0x400',
      [`risk_rule_failures_total${worker('rule_set="own@1",rule="R1"')}`]: '_x19 1x400',
    },
    quietAt: '4m',
    at: '6m',
  },
  {
    alert: 'UnreadEntries',
    what: 'a worker meets an entry of another version',
    series: { [`risk_unread_entries_total${worker(US)}`]: steps(0, 5, 1) },
    quietAt: '4m',
    at: '6m',
    labels: OF_CORRIDOR,
  },
  {
    alert: 'WorkerDeaf',
    what: 'the last poll was at 2 minutes',
    series: { [`risk_reader_last_poll_timestamp_seconds${worker()}`]: '0+15x8 120x400' },
    quietAt: '2m30s',
    labels: { role: 'worker', ...MARKET, instance: 'w' },
    value: '1m 0s',
  },
  {
    alert: 'WorkerPaused',
    what: 'batches are held back for six minutes',
    series: { [`risk_worker_pauses_total${worker('code="POSTGRES_UNAVAILABLE"')}`]: '0x8 1+1x400' },
    quietAt: '6m',
    at: '9m',
    labels: { ...MARKET, code: 'POSTGRES_UNAVAILABLE' },
  },
];
