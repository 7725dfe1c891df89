/** The room of dead letters: people list, replay and purge them. Core stores them. */
import type { Room } from '../../core/room.ts';

export const deadLetters: Room = {
  name: 'dead-letters',
  commands: { 'dead-letters': () => import('./commands.ts') },
  routes: () => import('./routes.ts'),
};
