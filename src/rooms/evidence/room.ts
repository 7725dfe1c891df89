/** The room of evidence: stored scores and tallies are computed again and compared. */
import type { Room } from '../../core/room.ts';

export const evidence: Room = {
  name: 'evidence',
  commands: {
    verify: async (openModels) => ({
      command: (await import('./commands.ts')).createCommand(openModels),
    }),
  },
};
