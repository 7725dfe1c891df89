/** Volumes by channel and type of payment. */
import { CORRIDOR, type Dashboard, ofLeader, ofTraffic, stacked } from './dashboard.ts';

const VOLUMES = ofLeader(
  'risk_accepted_transactions_per_second',
  CORRIDOR,
  'market, corridor, currency, channel, type',
);
const volumeBy = (label: string) => `sum by (${label}) (${VOLUMES})`;

export const channels: Dashboard = {
  name: 'channels',
  title: 'channels and types',
  description: 'Volumes by channel and by type of payment, beside corridor and currency.',
  variables: [ofTraffic('market'), ofTraffic('corridor')],
  rows: [
    {
      title: 'Transactions a second',
      panels: [
        ...['channel', 'type', 'currency', 'corridor'].map((label) =>
          stacked(`By ${label}`, 'cps', volumeBy(label)),
        ),
        stacked('By channel and type', 'cps', volumeBy('channel, type')),
        stacked(
          'Share of each channel',
          'percentunit',
          `${volumeBy('channel')} / scalar(sum(${VOLUMES}))`,
        ),
      ],
    },
  ],
};
