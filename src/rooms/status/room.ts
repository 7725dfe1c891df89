/** The room of status: where the pipeline stands, once or live. */
import type { Room } from '../../core/room.ts';

export const status: Room = {
  name: 'status',
  commands: {
    status: () => import('./commands.ts'),
    workers: () => import('./workers-command.ts'),
  },
  alerts: async () => (await import('./alerts/alerts.ts')).alerts,
  document: async () => (await import('./routes.ts')).document,
  api: async (api) => (await import('./routes.ts')).openStatus(api),
  worker: async (worker) => ({ duties: [(await import('./report-duty.ts')).bindReport(worker)] }),
};
