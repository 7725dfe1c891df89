/** The room of the review: people decide about transactions that rules, models, disputes or chance send to them. */
import type { Room } from '../../core/room.ts';
import { OLD, purgeBefore, type Retention } from '../../kit/duties/purge.ts';
import { createReviewMetrics } from './metrics.ts';
import { addDisputes } from './store/reviewed.ts';

const tables: readonly Retention[] = [
  { tables: ['outbox_review'], ends: 'once their cases are open: they are work' },
  {
    tables: ['review_cases', 'review_notes'],
    setting: 'RISK_REVIEW_RETENTION_DAYS',
    ends: 'after the case was closed, its notes with it; an open case is work and stays',
    purges: [
      purgeBefore(
        'review_cases',
        'closed_at',
        `${OLD} and not market.is_held(account_id, created_at)`,
      ),
    ],
  },
  {
    tables: ['final_decisions'],
    ends: 'never: the newest stands on its transaction; about 0.4 kB a decision',
  },
  { tables: ['review_policies'], ends: 'never: a case names the version that placed it' },
  { tables: ['exchange_rates'], ends: 'never: a row a currency and day' },
];

export const review: Room = {
  name: 'review',
  commands: {
    review: () => import('./commands.ts'),
    rates: () => import('./commands/rates.ts'),
  },
  routes: () => import('./api.ts'),
  worker: async (worker) => (await import('./duty.ts')).openReview(worker),
  events: async () => (await import('./events.ts')).events,
  tables,
  metrics: createReviewMetrics,
  onLabelled: (query, labels) =>
    addDisputes(
      query,
      labels.filter(({ label }) => label === 'fraud'),
    ),
};
