/** The room of status: where the pipeline stands, once or live. */
import type { Room } from '../../core/room.ts';

export const status: Room = {
  name: 'status',
  commands: { status: () => import('./commands.ts') },
  document: async () => (await import('./routes.ts')).document,
  api: async (api) => (await import('./routes.ts')).openStatus(api),
};
