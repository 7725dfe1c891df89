/** The room of search: scores, transactions, parties, explanations and evaluations, as analysts ask for them. */
import type { Room } from '../../core/room.ts';

export const search: Room = {
  name: 'search',
  routes: () => import('./api.ts'),
};
