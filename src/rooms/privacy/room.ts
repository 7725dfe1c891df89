/** The room of personal data: tokens in place of personal values, reads of clear values, and erasure. */
import type { Room } from '../../core/room.ts';
import { tables } from './tables.ts';

export const privacy: Room = {
  name: 'privacy',
  commands: { privacy: () => import('./commands.ts') },
  document: async () => (await import('./routes.ts')).document,
  api: async (api) => (await import('./routes.ts')).openPrivacy(api),
  personal: async (opened) => (await import('./open-personal.ts')).openPersonal(opened),
  tables,
};
