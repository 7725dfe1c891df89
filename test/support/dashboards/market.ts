/** A market by its corridors. */
import {
  ACCEPTED,
  type Dashboard,
  DEAD,
  LATENCY,
  largest,
  lines,
  MARKET,
  ofLeader,
  ofTraffic,
  one,
  overStreams,
  perSecond,
  quantiles,
  SCORED,
  stacked,
  upTo,
} from './dashboard.ts';

export const oneMarket: Dashboard = {
  name: 'market',
  title: 'market',
  description:
    'A market by its corridors: what comes in, what waits, what is refused or given up, and what people decide.',
  variables: [ofTraffic('market')],
  rows: [
    {
      title: 'Transactions',
      panels: [
        stacked('Accepted', 'cps', perSecond(ACCEPTED, MARKET, 'corridor')),
        stacked('Verdicts', 'cps', perSecond(SCORED, MARKET, 'verdict')),
        lines('From receipt to score', 's', quantiles(LATENCY, MARKET)),
        lines(
          'Duplicates',
          'cps',
          one(perSecond('risk_transactions_duplicate_total', MARKET), 'duplicates'),
        ),
        lines('Refused', 'cps', perSecond('risk_transactions_refused_total', MARKET, 'problem')),
        lines('Labels', 'cps', perSecond('risk_labels_accepted_total', MARKET, 'label')),
      ],
    },
    {
      title: 'What waits',
      panels: [
        lines(
          'Queue depth',
          'short',
          overStreams('risk_stream_lag_transactions', MARKET, 'corridor'),
          upTo(500, 2000),
        ),
        lines(
          'Age of the oldest entry',
          's',
          largest('risk_stream_lag_seconds', MARKET, 'corridor'),
          upTo(30, 120),
        ),
        lines(
          'Waits for another attempt',
          'short',
          overStreams('risk_retries_waiting', MARKET, 'corridor'),
        ),
        lines('Dead letters', 'cps', perSecond(DEAD, MARKET, 'code')),
        lines(
          'Appended by the reconciler',
          'cps',
          one(perSecond('risk_transactions_reconciled_total', MARKET), 'transactions'),
        ),
        lines('Memory of events', 'bytes', largest('risk_event_bytes', MARKET, 'kind')),
      ],
    },
    {
      title: 'People and other systems',
      panels: [
        stacked(
          'Review cases that wait',
          'short',
          ofLeader('risk_review_cases_waiting', MARKET, 'priority'),
        ),
        lines(
          'Review cases that are late',
          'short',
          ofLeader('risk_review_cases_late', MARKET, 'priority, deadline'),
        ),
        lines(
          'Oldest delivery of a webhook',
          's',
          one(largest('risk_webhook_oldest_due_seconds', MARKET), 'due since'),
          upTo(300, 3600),
        ),
      ],
    },
  ],
};
