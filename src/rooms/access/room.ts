/** The room of access: API keys, the people who hold them, and sessions of browsers. */
import type { Room } from '../../core/room.ts';
import { tables } from './tables.ts';

export const access: Room = {
  name: 'access',
  commands: { keys: () => import('./commands.ts') },
  document: async () => (await import('./api.ts')).document,
  api: async (api) => (await import('./api.ts')).openAccess(api),
  tables,
};
