/** The room of personal data: tokens in place of personal values, reads of clear values, and erasure. */
import type { Room } from '../../core/room.ts';
import type { Retention } from '../../kit/duties/purge.ts';

const tables: readonly Retention[] = [
  {
    tables: ['personal_fields', 'personal_state'],
    ends: 'never: stored tokens stay tokens',
  },
  { tables: ['subjects'], ends: 'when somebody erases the subject' },
  { tables: ['erasures'], ends: 'never: the ledger is compared with these rows' },
];

export const privacy: Room = {
  name: 'privacy',
  commands: { privacy: () => import('./commands.ts') },
  routes: () => import('./routes.ts'),
  personal: async (opened) => (await import('./open-personal.ts')).openPersonal(opened),
  tables,
};
