/** The room of lists: what is allowed, blocked and watched. */
import { randomInt } from 'node:crypto';
import type { Room } from '../../core/room.ts';
import { tables } from './tables.ts';

export const lists: Room = {
  name: 'lists',
  commands: { lists: () => import('./commands.ts') },
  document: async () => (await import('./routes.ts')).document,
  api: async (api) => (await import('./routes.ts')).openLists(api),
  lists: async (database, changes) => {
    const { openListMemory } = await import('./memory/list-memory.ts');
    return openListMemory(database, changes, randomInt(2 ** 32));
  },
  tables,
};
