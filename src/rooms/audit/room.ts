/** The room of the audit log: who changed what. */
import type { Room } from '../../core/room.ts';

export const audit: Room = {
  name: 'audit',
  commands: { audit: () => import('./commands.ts') },
  routes: () => import('./routes.ts'),
};
