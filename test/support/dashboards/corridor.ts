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
  one,
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
        lines(
          'Health',
          'none',
          one(ofLeader('risk_corridor_health_score', CORRIDOR, 'corridor'), '{{corridor}}'),
          {
            ...upTo(90, 70),
            note: '100 less what each part lacks: availability 40, backlog 20, failures 20, full service 10, open 10.',
          },
        ),
        lines(
          'The worst part',
          'percentunit',
          one(
            `min by (part) (${ofLeader('risk_corridor_health_ratio', CORRIDOR, 'market, corridor, part')})`,
            '{{part}}',
          ),
        ),
        lines(
          'Availability',
          'percentunit',
          one(ofLeader('risk_corridor_availability_ratio', CORRIDOR, 'corridor'), '{{corridor}}'),
          upTo(0.99, 0.9),
        ),
        lines(
          'Active accounts',
          'short',
          one(ofLeader('risk_corridor_active_accounts', CORRIDOR, 'corridor'), '{{corridor}}'),
        ),
        lines(
          'Degradation level',
          'none',
          one(largest('risk_corridor_degradation_level', CORRIDOR, 'corridor'), '{{corridor}}'),
          upTo(1, 3),
        ),
        lines(
          'Given up, of what was accepted',
          'percentunit',
          one(share([DEAD, CORRIDOR], [ACCEPTED, CORRIDOR], 'corridor'), '{{corridor}}'),
          upTo(0.02, 0.1),
        ),
      ],
    },
    {
      title: 'Transactions',
      panels: [
        lines('Accepted', 'cps', one(perSecond(ACCEPTED, CORRIDOR, 'corridor'), '{{corridor}}')),
        lines(
          'Declined',
          'percentunit',
          one(
            share([SCORED, `${CORRIDOR},verdict="decline"`], [SCORED, CORRIDOR], 'corridor'),
            '{{corridor}}',
          ),
        ),
        lines(
          'Sent to review',
          'percentunit',
          one(
            share([SCORED, `${CORRIDOR},verdict="review"`], [SCORED, CORRIDOR], 'corridor'),
            '{{corridor}}',
          ),
        ),
        lines(
          'p99 from receipt to score',
          's',
          one(quantile(0.99, LATENCY, CORRIDOR, 'corridor'), '{{corridor}}'),
          upTo(0.75, 2),
        ),
        lines(
          'Refused',
          'cps',
          one(perSecond('risk_transactions_refused_total', CORRIDOR, 'problem'), '{{problem}}'),
        ),
        lines(
          'On hold',
          'cps',
          one(perSecond('risk_transactions_on_hold_total', CORRIDOR, 'corridor'), '{{corridor}}'),
        ),
      ],
    },
    {
      title: 'What waits',
      panels: [
        lines(
          'Queue depth',
          'short',
          one(overStreams('risk_stream_lag_transactions', CORRIDOR, 'corridor'), '{{corridor}}'),
        ),
        lines(
          'At workers',
          'short',
          one(
            overStreams('risk_stream_pending_transactions', CORRIDOR, 'corridor'),
            '{{corridor}}',
          ),
        ),
        lines(
          'Age of the oldest entry',
          's',
          one(largest('risk_stream_lag_seconds', CORRIDOR, 'corridor'), '{{corridor}}'),
          upTo(30, 120),
        ),
      ],
    },
  ],
};
