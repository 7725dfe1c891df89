/** The room of archives: a market is archived and dropped, an archive is read back, and legal holds keep what they name. */
import type { Room } from '../../core/room.ts';

export const archive: Room = {
  name: 'archive',
  commands: {
    archive: async (openModels) => ({
      command: (await import('./commands.ts')).createCommand(openModels),
    }),
    holds: () => import('./holds-command.ts'),
  },
  document: async () => (await import('./routes.ts')).document,
  api: async (api) => (await import('./routes.ts')).openArchives(api),
};
