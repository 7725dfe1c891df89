/** The room of archives: a market is archived and dropped, and an archive is read back. */
import type { Room } from '../../core/room.ts';

export const archive: Room = {
  name: 'archive',
  commands: {
    archive: async (openModels) => ({
      command: (await import('./commands.ts')).createCommand(openModels),
    }),
  },
  document: async () => (await import('./routes.ts')).document,
  api: async (api) => (await import('./routes.ts')).openArchives(api),
};
