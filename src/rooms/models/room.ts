/** The room of models: registry, rollouts by two people, watch, training. */
import type { Room } from '../../core/room.ts';
import {
  OLD,
  PURGE_STEP_ROWS_MAX,
  purgeBefore,
  purgeRows,
  type Retention,
} from '../../kit/duties/purge.ts';
import { HOUR_MS } from '../../kit/words/range.ts';

const tables: readonly Retention[] = [
  {
    tables: ['watch_reports'],
    setting: 'RISK_WATCH_RETENTION_DAYS',
    ends: 'after the check; about 12 kB a model and check',
    purges: [purgeBefore('watch_reports', 'watched_at', OLD)],
  },
  {
    tables: ['shadow_batches'],
    setting: 'RISK_SHADOW_RETENTION_DAYS',
    ends: 'after the batch; 24 bytes a transaction and shadow model',
    purges: [purgeBefore('shadow_batches', 'scored_at', OLD)],
  },
  {
    tables: ['model_checks'],
    setting: 'RISK_MODEL_CHECK_RETENTION_DAYS',
    ends: 'after the check; Postgres refuses to remove one of the last 30 days',
    purges: [
      purgeRows(
        'model_checks',
        // Ids rise with time: the first of them are read, however old they are.
        `from (select ctid, checked_at from market.model_checks order by check_id limit ${PURGE_STEP_ROWS_MAX}) first
      where checked_at < ${OLD}`,
      ),
    ],
  },
  { tables: ['models'], ends: 'never: what a model has scored is verified and explained by it' },
];

export const models: Room = {
  name: 'models',
  commands: {
    models: () => import('./commands.ts'),
    scorecard: () => import('./scorecard-command.ts'),
  },
  routes: () => import('./routes.ts'),
  worker: async (worker) => (await import('./duty.ts')).openModelsWorker(worker),
  training: {
    name: 'train-trees',
    everyMs: HOUR_MS,
    // Shorter: a training that always fails keeps a processor busy.
    againMs: 6 * HOUR_MS,
    isDue: async (of, day) => (await import('./store/trees.ts')).areTreesDue(of, day),
    run: async (...of) => (await import('./trees/train-trees.ts')).trainTrees(...of),
  },
  models: async (databases) => (await import('./open-models.ts')).openModels(databases),
  events: async () => (await import('./events.ts')).events,
  tables,
};
