/** The room of corridors: people stop, start and limit them. Core refuses what is stopped or over a limit. */
import type { Room } from '../../core/room.ts';
import { createCorridorMetrics } from './metrics.ts';

export const corridors: Room = {
  name: 'corridors',
  commands: {
    controls: () => import('./controls-command.ts'),
    corridors: () => import('./corridors-command.ts'),
    markets: () => import('./markets-command.ts'),
    degradation: () => import('./degradation-command.ts'),
  },
  metrics: createCorridorMetrics,
  events: async () => (await import('./events.ts')).events,
  routes: () => import('./routes.ts'),
  worker: async (worker) => ({
    duties: [
      (await import('./duty.ts')).bindCorridorFigures(worker),
      (await import('./auto-freeze.ts')).bindAutoFreeze(worker),
    ],
  }),
};
