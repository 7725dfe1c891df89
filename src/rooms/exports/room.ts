/** The room of exports: the whole result of a search, as a file. */
import type { Room } from '../../core/room.ts';
import { createExportMetrics } from './metrics.ts';

export const exports: Room = {
  name: 'exports',
  commands: { export: () => import('./commands.ts') },
  document: async () => (await import('./routes.ts')).document,
  metrics: createExportMetrics,
  api: async (api) => (await import('./routes.ts')).openExports(api),
};
