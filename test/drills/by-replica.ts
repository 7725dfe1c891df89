/** A streaming replica takes over: of a region that is lost, and of a server that is to go. */
import { type DrillStage, drill } from './support/drill.ts';
import { killRoles, startRoles, stopRoles } from './support/roles.ts';
import type { Server } from './support/server.ts';
import { type Site, settingsOf } from './support/site.ts';

const PAGE = 'replica.md';

/** The replica of each site. */
const replicas = new WeakMap<Site, Server>();

function replicaOf(site: Site): Server {
  const found = replicas.get(site);
  if (found === undefined) throw new Error('there is no replica');
  return found;
}

async function makeReplica({ site, until }: DrillStage): Promise<void> {
  await site.runPage('backup.md', 'Back up', 1);
  const server = await site.openServer('second');
  replicas.set(site, server);
  const { PGDATA = '', PGPORT = '' } = settingsOf(server);
  await site.runPage(PAGE, 'Make a replica', 0, { PGDATA, PGPORT });
  const streams = `select from pg_stat_replication where state = 'streaming'`;
  await until('the replica streams', async () => (await site.query(streams)).length === 1);
}

const addressOf = (site: Site) => ({ REPLICA_ADMIN_URL: replicaOf(site).adminUrl });

export const regionLost = drill({
  name: 'region-lost',
  what: 'a region is lost',
  mayLose: true,
  prepare: makeReplica,
  strike: async (stage) => {
    const { redis, server } = stage.site;
    await Promise.all([killRoles(stage), server.end('SIGKILL'), redis.end('SIGKILL')]);
    stage.ledger.note({ kind: 'wiped' });
  },
  restore: async ({ site }) => {
    await site.runPage(PAGE, 'When the primary is lost', 0, addressOf(site));
    site.moveTo(replicaOf(site), { redisUrl: await site.startRedis() });
    await site.run('bin/risk doctor');
  },
  resume: startRoles,
});

export const moveDatabase = drill({
  name: 'move-database',
  what: 'the database moves to another server',
  mayLose: false,
  prepare: makeReplica,
  strike: stopRoles,
  restore: async ({ site }) => {
    await site.runPage(PAGE, 'Move to another server', 0, addressOf(site));
    site.moveTo(replicaOf(site));
  },
  resume: startRoles,
});
