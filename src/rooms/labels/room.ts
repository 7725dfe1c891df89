/** The room of labels: what became known of transactions. Core stores them and counts them in profiles. */
import type { Room } from '../../core/room.ts';

export const labels: Room = {
  name: 'labels',
  commands: { labels: () => import('./commands.ts') },
  routes: () => import('./routes.ts'),
};
