/** Cases of alerts on requests and on the transactions of corridors. */
import { type AlertCase, api, MARKET, worker } from './case.ts';

const requests = (status: string) =>
  `risk_http_request_duration_seconds_count${api(`method="POST",route="/v1/transactions",status="${status}"`)}`;
const bucket = (le: string) =>
  `risk_http_request_duration_seconds_bucket${api(`method="POST",route="/v1/transactions",status="200",le="${le}"`)}`;
/** A hundred requests a scrape, all of which take up to `le` and more than `below`. */
const durations = (below: string, le: string): Record<string, string> => ({
  [requests('200')]: '0+100x400',
  [bucket(below)]: '0x400',
  [bucket(le)]: '0+100x400',
  [bucket('+Inf')]: '0+100x400',
});
const US = 'corridor="US-EG"';
const OF_CORRIDOR = { ...MARKET, corridor: 'US-EG' };
const OF_REGION = { ...MARKET, region: 'US' };
const scored = `risk_transactions_scored_total${worker(`${US},verdict="approve"`)}`;
const dead = `risk_dead_letters_total${worker(`${US},code="SCORING_FAILED"`)}`;
const deadBefore = `risk_dead_letters_total${worker(US)}`;
const latency = (le: string) => `risk_score_latency_seconds_bucket${worker(`${US},le="${le}"`)}`;
const late = {
  [latency('0.5')]: '0x400',
  [latency('5')]: '0+100x400',
  [latency('+Inf')]: '0+100x400',
};
const lateLater = Object.fromEntries(
  Object.entries(late).map(([name, values]) => [name, `_x19 ${values}`]),
);
const given = { [scored]: '0+80x400', [deadBefore]: '0x400', [dead]: '_x19 0+20x400' };

export const REQUEST_CASES: readonly AlertCase[] = [
  {
    alert: 'HighAPILatency',
    what: 'all requests take 0.5 to 1 s',
    series: durations('0.5', '1'),
    fires: ['warning', 'critical', 'warning api up'],
    at: '10m',
    value: '975ms',
  },
  {
    alert: 'HighAPILatency',
    what: 'all take up to 0.2 s, which is no more than the threshold',
    series: durations('0.1', '0.2'),
    fires: [],
    at: '10m',
  },
  {
    alert: 'HighAPILatency',
    what: 'fewer requests a minute than are judged, for less than five minutes',
    series: {
      [requests('200')]: '0+1x400',
      [bucket('0.5')]: '0x400',
      [bucket('1')]: '0+1x400',
      [bucket('+Inf')]: '0+1x400',
    },
    fires: [],
    at: '5m',
  },
  {
    alert: 'HighGlobalLatency',
    what: 'all requests take 1 to 2.5 s',
    series: durations('1', '2.5'),
    fires: ['warning', 'critical'],
    at: '10m',
    value: '2.485s',
  },
  {
    alert: 'HighGlobalLatency',
    what: 'all take up to 0.5 s',
    series: durations('0.4', '0.5'),
    fires: [],
    at: '10m',
  },
  {
    alert: 'ServerErrors',
    what: 'one in ten requests fails from the tenth minute on',
    series: { [requests('200')]: '0+90x400', [requests('503')]: '0x40 10+10x400' },
    quietAt: '9m',
    fires: ['warning', 'critical'],
    at: '20m',
    value: '10%',
  },
  {
    alert: 'ServerErrors',
    what: 'one in a hundred fails, and refusals that people asked for are no errors',
    series: {
      [requests('200')]: '0+99x400',
      [requests('500')]: '0+1x400',
      [`risk_http_request_duration_seconds_count${api('route="/v1/transactions",status="503",problem="frozen"')}`]:
        '0+900x400',
    },
    fires: [],
    at: '20m',
  },
  {
    alert: 'CorridorErrors',
    what: 'a fifth of a corridor is given up',
    series: given,
    quietAt: '4m',
    fires: ['warning', 'critical'],
    at: '15m',
    labels: OF_CORRIDOR,
    value: '20%',
  },
  {
    alert: 'CorridorErrors',
    what: 'one in fifty is given up',
    series: { [scored]: '0+98x400', [dead]: '0+2x400' },
    fires: [],
    at: '15m',
  },
  {
    alert: 'RegionErrors',
    what: 'a fifth of a corridor of the region is given up',
    series: given,
    quietAt: '4m',
    fires: ['warning', 'critical'],
    at: '15m',
    labels: OF_REGION,
    value: '20%',
  },
  {
    alert: 'CorridorLatency',
    what: 'scores take 0.5 to 5 s',
    series: late,
    fires: ['warning', 'critical'],
    at: '10m',
    labels: OF_CORRIDOR,
    value: '4.955s',
  },
  {
    alert: 'CorridorLatency',
    what: 'scores take up to 0.75 s',
    series: {
      [latency('0.5')]: '0x400',
      [latency('0.75')]: '0+100x400',
      [latency('+Inf')]: '0+100x400',
    },
    fires: [],
    at: '10m',
  },
  {
    alert: 'RegionLatency',
    what: 'scores of a corridor of the region take 0.5 to 5 s',
    series: lateLater,
    quietAt: '4m',
    fires: ['warning', 'critical'],
    at: '12m',
    labels: OF_REGION,
    value: '4.955s',
  },
  {
    alert: 'Shedding',
    what: 'requests are refused for six minutes',
    series: { [`risk_http_requests_shed_total${api('reason="in-flight"')}`]: '0x8 1+1x400' },
    quietAt: '6m',
    at: '9m',
    labels: { ...MARKET, reason: 'in-flight' },
  },
  {
    alert: 'DeadLetters',
    what: 'the first dead letter of a corridor, of a code that was never counted before',
    series: { [deadBefore]: '0x400', [dead]: '_x19 1x400' },
    quietAt: '4m',
    at: '6m',
    labels: OF_CORRIDOR,
  },
  {
    alert: 'DeadLetters',
    what: 'one of two workers starts anew, and nothing is given up',
    series: {
      [dead]: '100x400',
      'risk_dead_letters_total{corridor="US-EG",market="m",role="worker",instance="v"}':
        '50x20 0x400',
    },
    fires: [],
    at: '6m',
  },
];
