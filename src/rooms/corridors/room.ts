/** The room of corridors: people stop and start them. Core refuses and holds what is stopped. */
import type { Room } from '../../core/room.ts';

export const corridors: Room = {
  name: 'corridors',
  commands: {
    switch: () => import('./switch-command.ts'),
    corridors: () => import('./corridors-command.ts'),
    markets: () => import('./markets-command.ts'),
  },
  document: async () => (await import('./routes.ts')).document,
  api: async (api) => (await import('./routes.ts')).openCorridors(api),
};
