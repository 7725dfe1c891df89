/** The room of archives: months become files and tables again, markets are archived and dropped, and holds prevent removals. */
import type { Room } from '../../core/room.ts';

export const archive: Room = {
  name: 'archive',
  commands: {
    archive: async (openModels) => ({
      command: (await import('./commands.ts')).createCommand(openModels),
    }),
    holds: () => import('./holds-command.ts'),
  },
  routes: () => import('./routes.ts'),
  tables: [{ tables: ['archived_markets'], ends: 'never: an archive' }],
};
