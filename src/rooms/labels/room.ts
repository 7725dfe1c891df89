/** The room of labels: what became known of transactions. Core stores them and counts them in profiles. */
import type { Room } from '../../core/room.ts';

export const labels: Room = {
  name: 'labels',
  commands: { labels: () => import('./commands.ts') },
  document: async () => (await import('./routes.ts')).document,
  api: async (api) => (await import('./routes.ts')).openLabels(api),
};
