/** The room of search: scores, transactions, parties, explanations and evaluations, as analysts ask for them. */
import type { Room } from '../../core/room.ts';

export const search: Room = {
  name: 'search',
  document: async () => (await import('./api.ts')).document,
  api: async (api) => (await import('./api.ts')).openSearch(api),
};
