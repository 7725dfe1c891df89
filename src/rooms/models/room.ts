/** The room of models: registry, rollouts by two people, watch, training. */
import type { Room } from '../../core/room.ts';
import { tables } from './tables.ts';

export const models: Room = {
  name: 'models',
  commands: {
    models: () => import('./commands.ts'),
    features: () => import('./commands/features.ts'),
  },
  document: async () => (await import('./api.ts')).document,
  api: async (api) => (await import('./api.ts')).openModels(api),
  worker: async (worker) => (await import('./duty.ts')).openWatch(worker),
  tables,
};
