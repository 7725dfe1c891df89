/** All markets: whether the engine takes and decides what it is sent. */
import {
  ACCEPTED,
  type Dashboard,
  DEAD,
  ERRORS,
  FAILED,
  HTTP,
  LATENCY,
  largest,
  lines,
  MARKET,
  number,
  OF_API,
  ofTraffic,
  one,
  overStreams,
  perSecond,
  quantile,
  SCORED,
  share,
  stacked,
  upTo,
} from './dashboard.ts';

const errors = (by = '') =>
  share([`${HTTP}_count`, `${OF_API},${FAILED}`], [`${HTTP}_count`, OF_API], by);

export const global: Dashboard = {
  name: 'global',
  title: 'all markets',
  description: 'Whether the engine takes and decides what it is sent, market by market.',
  variables: [ofTraffic('market')],
  rows: [
    {
      title: 'Now',
      panels: [
        number('Accepted', 'cps', one(perSecond(ACCEPTED, MARKET), 'accepted')),
        number('Scored', 'cps', one(perSecond(SCORED, MARKET), 'scored')),
        number('Server errors', 'percentunit', one(errors(), 'of requests'), ERRORS),
        number('p99 of requests', 's', one(quantile(0.99, HTTP, OF_API), 'p99'), upTo(0.5, 1)),
        number(
          'Queue depth',
          'short',
          one(overStreams('risk_stream_lag_transactions', MARKET), 'transactions'),
          upTo(500, 2000),
        ),
        number(
          'Degradation level',
          'none',
          one(largest('risk_degradation_level', MARKET), 'level'),
          upTo(1, 3),
        ),
      ],
    },
    {
      title: 'By market',
      panels: [
        lines('Accepted', 'cps', perSecond(ACCEPTED, MARKET, 'market')),
        stacked('Verdicts', 'cps', perSecond(SCORED, MARKET, 'verdict')),
        lines('Server errors', 'percentunit', errors('market'), ERRORS),
        lines('p99 of requests', 's', quantile(0.99, HTTP, OF_API, 'market'), upTo(0.5, 1)),
        lines('p99 from receipt to score', 's', quantile(0.99, LATENCY, MARKET, 'market')),
        lines(
          'Queue depth',
          'short',
          overStreams('risk_stream_lag_transactions', MARKET, 'market'),
        ),
        lines('Dead letters', 'cps', perSecond(DEAD, MARKET, 'market')),
        lines(
          'Breakers that are open',
          'none',
          `sum by (market) (max by (market, breaker) (risk_breaker_state{${MARKET}}) == bool 2)`,
        ),
        lines('Processes', 'none', `count by (job) (risk_process_start_time_seconds{${MARKET}})`),
      ],
    },
  ],
};
