/** The room of exports: the whole result of a search, as a file. */
import type { Room } from '../../core/room.ts';
import { createExportMetrics } from './metrics.ts';

export const exports: Room = {
  name: 'exports',
  commands: { export: () => import('./commands.ts') },
  metrics: createExportMetrics,
  routes: () => import('./routes.ts'),
};
