/** The room of the review: people decide about transactions that rules, models, disputes or chance send to them. */
import type { Room } from '../../core/room.ts';
import { createReviewMetrics } from './metrics.ts';
import { addDisputes } from './store/intake.ts';
import { tables } from './tables.ts';

export const review: Room = {
  name: 'review',
  commands: {
    review: () => import('./commands.ts'),
    rates: () => import('./commands/rates.ts'),
  },
  document: async () => (await import('./api.ts')).document,
  api: async (api) => (await import('./api.ts')).openReview(api),
  worker: async (worker) => (await import('./duty.ts')).openReview(worker),
  events: async () => (await import('./events.ts')).events,
  alerts: async () => (await import('./alerts.ts')).alerts,
  tables,
  metrics: createReviewMetrics,
  onLabelled: (query, labels) =>
    addDisputes(
      query,
      labels.filter(({ label }) => label === 'fraud'),
    ),
};
