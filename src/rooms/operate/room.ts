/** The room of operations: migrations, months, reconciliation by hand, the number of workers, capacity. */
import type { Room } from '../../core/room.ts';

export const operate: Room = {
  name: 'operate',
  commands: {
    migrate: () => import('./commands/migrate.ts'),
    partitions: () => import('./commands/partitions.ts'),
    reconcile: () => import('./commands/reconcile.ts'),
    supervise: () => import('./commands/supervise.ts'),
    calibrate: () => import('./commands/calibrate.ts'),
    plan: () => import('./commands/plan.ts'),
  },
};
