/** Postgres is restored from a base backup and its archive of WAL: to the moment before an accident, and after its disk is lost. */
import { rm } from 'node:fs/promises';
import { type Drill, type DrillStage, drill } from './support/drill.ts';
import { finishRestore, startRoles, stopRoles } from './support/roles.ts';

const PAGE = ['backup.md', 'To a point in time'] as const;

async function backUp({ site }: DrillStage): Promise<void> {
  await site.runPage('backup.md', 'Back up', 1);
  await site.runPage('backup.md', 'Back up', 2);
}

async function restoreTo(stage: DrillStage, moment: string): Promise<void> {
  await stage.site.runPage(...PAGE, 1, { MOMENT: moment });
  await finishRestore(stage);
}

const archived = { mayLose: true, prepare: backUp, resume: startRoles } satisfies Partial<Drill>;

const planAccident = (): Drill => {
  let moment = '';
  return {
    ...archived,
    name: 'point-in-time',
    what: 'somebody deletes all scores',
    strike: async ({ site }) => {
      const [now] = await site.query<{ at: string }>('select clock_timestamp()::text as at');
      moment = now?.at ?? '';
      await site.run('psql "$DATABASE_URL" --command="truncate market_0.scores"');
    },
    restore: async (stage) => {
      await stopRoles(stage);
      await stage.site.runPage(...PAGE, 0);
      await restoreTo(stage, moment);
    },
  };
};

export const pointInTime = drill(planAccident());

export const diskLost = drill({
  ...archived,
  name: 'disk-lost',
  what: 'the disk of Postgres is lost',
  strike: async ({ site: { server } }) => {
    await server.end('SIGKILL');
    await rm(server.folder, { recursive: true });
  },
  restore: async (stage) => {
    await stopRoles(stage);
    await restoreTo(stage, '');
  },
});
