/** The room of summaries: sums by day. */
import type { Room } from '../../core/room.ts';

export const summaries: Room = {
  name: 'summaries',
  document: async () => (await import('./routes.ts')).document,
  api: async (api) => (await import('./routes.ts')).openSummaries(api),
};
