/** Cases of alerts on models and labels. */
import { type AlertCase, api, MARKET, steps, worker } from './case.ts';

const OF_US = { ...MARKET, corridor: 'US-EG' };
const breaker = (name: string) => `risk_breaker_state${api(`breaker="${name}"`)}`;
const model = (name: string, labels: string) => `${name}${worker(`model="m1",${labels}`)}`;
const ofModel = { ...MARKET, model: 'm1' };
const WEEK_HOURS = 7 * 24;

export const MODEL_CASES: readonly AlertCase[] = [
  {
    alert: 'DeterminismFails',
    what: 'a golden vector differs in one worker',
    series: { [`risk_model_checks_failed_total${worker()}`]: steps(0, 2, 1) },
    quietAt: '1m',
    fires: ['critical'],
  },
  {
    alert: 'ModelOut',
    what: 'a model is suspended in a corridor',
    series: { [breaker('model:US-EG:m1')]: steps(0, 2, 2) },
    quietAt: '1m',
    labels: { ...MARKET, breaker: 'model:US-EG:m1' },
  },
  {
    alert: 'RolledBack',
    what: 'the engine rolls a rule set back that it never counted before',
    series: {
      [`risk_rule_set_rollbacks_total${worker('corridor="US-EG"')}`]: '0x400',
      [`risk_rule_set_rollbacks_total${worker('corridor="US-EG",rule_set="own@1"')}`]: '_x19 1x400',
    },
    quietAt: '4m',
    at: '6m',
    labels: OF_US,
  },
  {
    alert: 'RolledBack',
    what: 'the engine rolls a model back',
    series: {
      [`risk_model_rollbacks_total${worker('corridor="US-EG"')}`]: '0x400',
      [`risk_model_rollbacks_total${worker('corridor="US-EG",model="m1"')}`]: '_x19 1x400',
    },
    at: '6m',
    labels: OF_US,
  },
  {
    alert: 'ModelLatency',
    what: 'calls take 0.5 to 1 s',
    series: {
      [model('risk_model_duration_seconds_bucket', 'le="0.5"')]: '0x400',
      [model('risk_model_duration_seconds_bucket', 'le="1"')]: '0+10x400',
      [model('risk_model_duration_seconds_bucket', 'le="+Inf"')]: '0+10x400',
    },
    fires: ['warning', 'critical'],
    at: '10m',
    labels: ofModel,
    value: '995ms',
  },
  {
    alert: 'ModelLatency',
    what: 'calls take up to 0.1 s',
    series: {
      [model('risk_model_duration_seconds_bucket', 'le="0.05"')]: '0x400',
      [model('risk_model_duration_seconds_bucket', 'le="0.1"')]: '0+10x400',
      [model('risk_model_duration_seconds_bucket', 'le="+Inf"')]: '0+10x400',
    },
    fires: [],
    at: '10m',
  },
  {
    alert: 'CacheMisses',
    what: 'six in ten profiles come from Postgres',
    series: {
      [`risk_cache_hits_total${worker('cache="folded_profiles",tier="memory"')}`]: '0+30x400',
      [`risk_cache_misses_total${worker('cache="folded_profiles",tier="memory"')}`]: '0+70x400',
      [`risk_cache_misses_total${worker('cache="folded_profiles",tier="redis"')}`]: '0+60x400',
    },
    quietAt: '14m',
    fires: ['warning', 'critical'],
    at: '20m',
    value: '40%',
  },
  {
    alert: 'ModelDrift',
    what: 'a feature has drifted for an hour',
    series: { [model('risk_model_psi', 'feature="f"')]: steps(0.1, 2, 0.3) },
    quietAt: '16m',
    fires: ['warning', 'critical'],
    at: '63m',
    labels: { ...ofModel, feature: 'f' },
  },
  {
    alert: 'ModelInputsMissing',
    what: 'a feature is missing in one of ten, and was in one of a hundred',
    series: {
      [model('risk_model_missing_ratio', 'feature="f",when="now"')]: steps(0.05, 2, 0.1),
      [model('risk_model_missing_ratio', 'feature="f",when="reference"')]: '0.01x400',
    },
    quietAt: '1m',
    labels: { ...ofModel, feature: 'f' },
  },
  {
    alert: 'ModelOutcomes',
    what: 'three times as many frauds as promised',
    series: {
      [model('risk_model_fraud_ratio', 'kind="seen"')]: steps(0.02, 2, 0.03),
      [model('risk_model_fraud_ratio', 'kind="promised"')]: '0.01x400',
    },
    quietAt: '1m',
    labels: ofModel,
  },
  {
    alert: 'ModelWorse',
    what: 'precision falls to a third within a week',
    series: {
      [model('risk_model_precision_ratio', 'bound="decline"')]: `0.9x${WEEK_HOURS} 0.3x400`,
    },
    isSlow: true,
    quietAt: '7d',
    at: '7d2h',
    labels: { ...ofModel, bound: 'decline' },
  },
  {
    alert: 'LabelsLate',
    what: 'a third as many transactions have a label as a week ago',
    series: { [model('risk_model_labelled_ratio', 'a=""')]: `0.9x${WEEK_HOURS} 0.3x400` },
    isSlow: true,
    quietAt: '7d',
    at: '7d2h',
    labels: ofModel,
  },
  {
    alert: 'WatchStale',
    what: 'the worker that has watched is gone, and the other, which started at the first minute, does not watch within 5 minutes',
    series: {
      [`risk_model_watched_timestamp_seconds${worker('job="b"')}`]: '60x400',
      [`risk_model_watched_timestamp_seconds${worker()}`]: '0+15x80 stale',
      [`risk_model_watch_interval_seconds${worker('job="b"')}`]: '300x400',
    },
    quietAt: '25m',
    at: '26m',
    value: '25m 0s',
  },
];
