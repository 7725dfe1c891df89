/** The room of summaries: sums by day. */
import type { Room } from '../../core/room.ts';

export const summaries: Room = {
  name: 'summaries',
  routes: () => import('./routes.ts'),
};
