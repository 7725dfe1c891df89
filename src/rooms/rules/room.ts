/** The room of rules: rule sets and their life, reason codes, features, and what became of what a rule fired on. */
import type { Room } from '../../core/room.ts';

export const rules: Room = {
  name: 'rules',
  commands: {
    rules: () => import('./commands.ts'),
    metadata: () => import('./metadata-command.ts'),
  },
  routes: () => import('./routes.ts'),
};
