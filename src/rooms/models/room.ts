/** The room of models: registry, rollouts by two people, watch, training. */
import type { Room } from '../../core/room.ts';
import { tables } from './tables.ts';

export const models: Room = {
  name: 'models',
  commands: {
    models: () => import('./commands.ts'),
  },
  document: async () => (await import('./routes.ts')).document,
  api: async (api) => (await import('./routes.ts')).openModelsApi(api),
  worker: async (worker) => (await import('./duty.ts')).openModelsWorker(worker),
  models: async (databases) => (await import('./open-models.ts')).openModels(databases),
  events: async () => (await import('./events.ts')).events,
  alerts: async () => (await import('./alerts.ts')).alerts,
  tables,
};
