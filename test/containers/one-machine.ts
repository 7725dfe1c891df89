/**
 * The shipped docker-compose.yml on a real Docker engine, under the load `day`: each container is killed, the engine of Docker is
 * restarted, all is taken down and up again, and a made-up release with a migration works beside the old one, then replaces it.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plan, Scenario, Stage } from '../chaos/support/scenario.ts';
import { blocksOf } from '../drills/support/page.ts';
import { MIGRATION_TEXT } from '../drills/support/releases.ts';
import { readText } from '../unit/ship/ship-files.ts';
import { SETUP } from './day-load.ts';
import { openSite, SHOWN, type Site, WORKERS } from './site.ts';

const MIGRATION = '0999_make_drill.sql';
const KEYS_FILE = '/var/lib/risk/privacy.keys';
const [KILLED, RESTARTED, REMADE, REPLACED] = [
  'containers killed',
  'Docker restarted',
  'down and up',
  'containers replaced by another release',
] as const;

/** The scenario's services are those of a site that its plan acts on. */
let site: Site;

const plan = (): Plan => ({
  schedule: [
    'SIGKILL for each container, one after the other',
    'Docker is restarted',
    'down, keys of personal fields, up',
    'a release with a migration beside the old one, then in its stead',
  ],
  faults: [KILLED, RESTARTED, REMADE, REPLACED],
  run: async (stage) => {
    // Redis has no room for the events of a whole run.
    stage.ledger.note({ kind: 'crowded' });
    stage.remark(`ready ${site.readySeconds} s after up`);
    const given = (await site.compose('exec', '-T', 'trainer', 'env')).split('\n');
    const lacking = Object.entries(SHOWN).filter((pair) => !given.includes(pair.join('=')));
    stage.bar('settings of .env that the trainer lacks', lacking.length, { exactly: 0 });
    await stage.progress(0.1);
    for (const container of await site.untilReady()) {
      await site.kill(container);
      stage.happened(KILLED);
      await stage.pause(1000);
    }
    await site.untilReady();
    await stage.progress(0.4);
    await site.docker.restart();
    await site.follow();
    await site.untilReady();
    stage.happened(RESTARTED);
    await stage.progress(0.6);
    await remake();
    stage.happened(REMADE);
    await stage.progress(0.7);
    await replace(stage);
    await site.untilReady();
    stage.happened(REPLACED);
  },
  judge: async ({ bar, remark }) => {
    const healthy = await site.untilHealthy();
    bar('containers that Docker calls healthy', healthy.length, { exactly: WORKERS + 4 });
    bar('containers killed for want of memory', site.docker.killed.length, { exactly: 0 });
    remark(`peaks in MiB: ${site.memory.text()}`);
    remark(`images of this machine's own: all but ${site.missing.join(', ') || 'none'}`);
  },
});

/** Brings a file of keys in as docs/deploy.md says, and makes all containers anew. */
async function remake(): Promise<void> {
  const write = `umask 077; echo "k1 $(head -c 32 /dev/urandom | base64)" >${KEYS_FILE}`;
  await site.compose('exec', '-T', 'api', 'sh', '-c', write);
  await site.compose('down');
  site.set({ RISK_PRIVACY_KEYS: KEYS_FILE });
  await site.up();
  await site.follow();
  await site.untilReady();
}

/** The commands of docs/upgrade.md; a worker of the new release scores beside the old ones in between. */
async function replace(stage: Stage): Promise<void> {
  writeFileSync(join(site.root, 'sql', MIGRATION), MIGRATION_TEXT);
  const block = blocksOf(readText('docs/upgrade.md'), 'Upgrade').find((one) => /compose/.test(one));
  const lines = (block ?? '').split('\n').map((line) => line.replace(/ +#.*/, ''));
  const run = async (line: string) => await site.compose(...line.split(' ').slice(2));
  const [build = '', migrate = '', ...ups] = lines;
  await run(build);
  await run(migrate);
  const id = await site.compose('run', '-d', '--no-deps', 'worker');
  const all = await site.containers();
  const fresh = all.find((one) => one.id === id || one.name === id);
  const old = all.find(({ service, name }) => service === 'worker' && name !== fresh?.name);
  if (fresh === undefined || old === undefined)
    throw new Error('workers of two releases were expected');
  const before = await site.scoredBy(old);
  const scored = async () =>
    Math.min(await site.scoredBy(fresh), (await site.scoredBy(old)) - before);
  await stage.until('both releases score', async () => (await scored().catch(() => 0)) > 0);
  stage.bar('scored by each of two releases beside the other', await scored(), { atLeast: 1 });
  for (const line of ups) await run(line);
  await site.docker.run(['stop', fresh.id]);
  await site.docker.run(['rm', fresh.id]);
}

export const oneMachine: Scenario = {
  name: 'one-machine',
  what: `docker-compose.yml with ${WORKERS} workers, killed, restarted, taken down, and upgraded`,
  setup: SETUP,
  startServices: async (options) => {
    site = await openSite(options);
    return site.services;
  },
  plan,
};
