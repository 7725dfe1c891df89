/** Everything is lost but a dump, which is restored into another cluster. */
import { drill } from './support/drill.ts';
import { finishRestore, killRoles, startRoles } from './support/roles.ts';
import { settingsOf } from './support/site.ts';

/** Password of the role that the page makes. */
const ROLE = 'risk:PASSWORD';

export const dump = drill({
  name: 'dump',
  what: 'all is lost but a dump',
  mayLose: true,
  prepare: async ({ site }) => {
    await site.runPage('backup.md', 'Back up', 0);
  },
  strike: async (stage) => {
    await killRoles(stage);
    await stage.site.server.end('SIGKILL');
  },
  restore: async (stage) => {
    const { site } = stage;
    const other = await site.openServer('second');
    await other.startEmpty();
    // A cluster of the tests has the engine's role and database already.
    const empty = 'psql "$ADMIN_URL" --command="drop database risk" --command="drop role risk"';
    await site.run(empty, settingsOf(other));
    const databaseUrl = other.url.replace(/risk:\w+/, ROLE);
    const there = { ...settingsOf(other), DATABASE_URL: databaseUrl };
    await site.runPage('backup.md', 'From a dump', 0, there);
    site.moveTo(other, { databaseUrl });
    await finishRestore(stage);
  },
  resume: startRoles,
});
