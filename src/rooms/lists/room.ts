/** The room of lists: what is allowed, blocked and watched. */
import { randomInt } from 'node:crypto';
import type { Room } from '../../core/room.ts';
import type { Retention } from '../../kit/duties/purge.ts';

const tables: readonly Retention[] = [
  { tables: ['lists', 'list_imports', 'reference_lists'], ends: 'never: a row a list or import' },
  {
    tables: ['list_entries', 'reference_entries'],
    ends: 'never: about 0.4 kB an entry, as a list can be asked as it was',
  },
];

export const lists: Room = {
  name: 'lists',
  commands: { lists: () => import('./commands.ts') },
  routes: () => import('./routes.ts'),
  lists: async (database, changes) => {
    const { openListMemory } = await import('./memory/list-memory.ts');
    return openListMemory(database, changes, randomInt(2 ** 32));
  },
  tables,
};
