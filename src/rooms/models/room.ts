/** The room of models: registry, rollouts by two people, watch, training. */
import type { Room } from '../../core/room.ts';
import {
  OLD,
  PURGE_STEP_ROWS_MAX,
  purgeRows,
  type Retention,
  rowsBefore,
} from '../../kit/duties/purge.ts';

/** When the rows of the tables of models end. */

const tables: readonly Retention[] = [
  {
    tables: ['watch_reports'],
    setting: 'RISK_WATCH_RETENTION_DAYS',
    ends: 'after the check; about 12 kB a model and check',
    purges: [
      purgeRows('watch_reports', rowsBefore('watch_reports', 'watched_at', OLD), (config) => [
        config.RISK_WATCH_RETENTION_DAYS,
      ]),
    ],
  },
  {
    tables: ['shadow_batches'],
    setting: 'RISK_SHADOW_RETENTION_DAYS',
    ends: 'after the batch; 24 bytes a transaction and shadow model',
    purges: [
      purgeRows('shadow_batches', rowsBefore('shadow_batches', 'scored_at', OLD), (config) => [
        config.RISK_SHADOW_RETENTION_DAYS,
      ]),
    ],
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
        (config) => [config.RISK_MODEL_CHECK_RETENTION_DAYS],
      ),
    ],
  },
  { tables: ['models'], ends: 'never: what a model has scored is verified and explained by it' },
];

export const models: Room = {
  name: 'models',
  commands: {
    models: () => import('./commands.ts'),
  },
  document: async () => (await import('./routes.ts')).document,
  api: async (api) => (await import('./routes.ts')).openModelsApi(api),
  worker: async (worker) => (await import('./duty.ts')).openModelsWorker(worker),
  models: async (databases) => (await import('./open-models.ts')).openModels(databases),
  events: async () => (await import('./events.ts')).events,
  tables,
};
