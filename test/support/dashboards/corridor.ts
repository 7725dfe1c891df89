/** A corridor: its health with the parts that make it, and what waits. */
import {
  ACCEPTED,
  CORRIDOR,
  type Dashboard,
  DEAD,
  LATENCY,
  largest,
  lines,
  ofLeader,
  ofTraffic,
  overStreams,
  perSecond,
  quantile,
  SCORED,
  share,
  upTo,
} from './dashboard.ts';

export const oneCorridor: Dashboard = {
  name: 'corridor',
  title: 'corridor',
  description:
    'How a corridor does: its health with the parts that make it, availability, active accounts, and what waits.',
  variables: [ofTraffic('market'), ofTraffic('corridor')],
  rows: [
    {
      title: 'Health',
      panels: [
        lines('Health', 'none', ofLeader('risk_corridor_health_score', CORRIDOR, 'corridor'), {
          ...upTo(90, 70),
          note: '100 less what each part lacks: availability 40, backlog 20, failures 20, full service 10, open 10.',
        }),
        lines(
          'The worst part',
          'percentunit',
          `min by (part) (${ofLeader('risk_corridor_health_ratio', CORRIDOR, 'market, corridor, part')})`,
        ),
        lines(
          'Availability',
          'percentunit',
          ofLeader('risk_corridor_availability_ratio', CORRIDOR, 'corridor'),
          upTo(0.99, 0.9),
        ),
        lines(
          'Active accounts',
          'short',
          ofLeader('risk_corridor_active_accounts', CORRIDOR, 'corridor'),
        ),
        lines(
          'Degradation level',
          'none',
          largest('risk_corridor_degradation_level', CORRIDOR, 'corridor'),
          upTo(1, 3),
        ),
        lines(
          'Given up, of what was accepted',
          'percentunit',
          share([DEAD, CORRIDOR], [ACCEPTED, CORRIDOR], 'corridor'),
          upTo(0.02, 0.1),
        ),
      ],
    },
    {
      title: 'Transactions',
      panels: [
        lines('Accepted', 'cps', perSecond(ACCEPTED, CORRIDOR, 'corridor')),
        lines(
          'Declined',
          'percentunit',
          share([SCORED, `${CORRIDOR},verdict="decline"`], [SCORED, CORRIDOR], 'corridor'),
        ),
        lines(
          'Sent to review',
          'percentunit',
          share([SCORED, `${CORRIDOR},verdict="review"`], [SCORED, CORRIDOR], 'corridor'),
        ),
        lines(
          'p99 from receipt to score',
          's',
          quantile(0.99, LATENCY, CORRIDOR, 'corridor'),
          upTo(0.75, 2),
        ),
        lines('Refused', 'cps', perSecond('risk_transactions_refused_total', CORRIDOR, 'problem')),
        lines('On hold', 'cps', perSecond('risk_transactions_on_hold_total', CORRIDOR, 'corridor')),
      ],
    },
    {
      title: 'What waits',
      panels: [
        lines(
          'Queue depth',
          'short',
          overStreams('risk_stream_lag_transactions', CORRIDOR, 'corridor'),
        ),
        lines(
          'At workers',
          'short',
          overStreams('risk_stream_pending_transactions', CORRIDOR, 'corridor'),
        ),
        lines(
          'Age of the oldest entry',
          's',
          largest('risk_stream_lag_seconds', CORRIDOR, 'corridor'),
          upTo(30, 120),
        ),
      ],
    },
  ],
};
