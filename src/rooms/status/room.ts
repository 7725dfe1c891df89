/** The room of status: where the pipeline stands, once or live. */
import type { Room } from '../../core/room.ts';
import { createStatusMetrics } from './metrics.ts';

export const status: Room = {
  name: 'status',
  commands: {
    status: () => import('./commands.ts'),
    workers: () => import('./workers-command.ts'),
  },
  routes: () => import('./routes.ts'),
  metrics: createStatusMetrics,
  worker: async (worker) => {
    const { bindReport, bindBacklog } = await import('./report-duty.ts');
    return { duties: [bindReport(worker), bindBacklog(worker)] };
  },
};
