/** The room of approvals: people see, confirm and withdraw what takes two of them. Rooms propose, and carry out what is confirmed. */
import type { Room } from '../../core/room.ts';

export const approvals: Room = {
  name: 'approvals',
  commands: { approvals: () => import('./commands.ts') },
  routes: () => import('./routes.ts'),
  events: async () => (await import('./events.ts')).events,
  tables: [{ tables: ['approvals'], ends: 'never: a row a decision of two people' }],
};
