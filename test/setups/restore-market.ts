/**
 * A market is lost and restored from a dump of the whole database, by the commands of docs/backup.md, while the other market of
 * the database goes on under load.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Ledger, openLedger } from '../chaos/support/ledger.ts';
import type { Plan, Scenario, Stage } from '../chaos/support/scenario.ts';
import { startServices } from '../chaos/support/services.ts';
import { blocksOf } from '../drills/support/page.ts';
import { findPostgresBin } from '../drills/support/programs.ts';
import { REPOSITORY } from '../support/risk.ts';
import { judgeSecond, loadSecond, SECOND, SECOND_CORRIDOR } from './support/second-market.ts';

const RATE = 300;
/** Share of the set-up's transactions that the lost market has before its dump, and again after the restore. */
const SHARE = 1 / 8;
const ENVIRONMENT = { RISK_MARKET: SECOND, RISK_CORRIDORS: SECOND_CORRIDOR };

const plan = (): Plan => {
  const before = openLedger();
  const after = openLedger();
  return {
    schedule: [`${SECOND} is made, dumped with the database, lost and restored`],
    faults: ['market lost', 'market restored'],
    run: async (stage) => {
      const { engine, happened, services } = stage;
      await engine.command(['migrate'], ENVIRONMENT);
      await startMarket(stage);
      await send(stage, before, 'before');
      const folder = await mkdtemp(join(tmpdir(), 'risk-dump-'));
      const dump = join(folder, 'all');
      const options = ['--format=directory', '--no-unlogged-table-data', `--file=${dump}`];
      const program = join(findPostgresBin(), 'pg_dump');
      await promisify(execFile)(program, [...options, services.databaseUrl]);
      for (const name of ['other-api', 'other-worker']) await engine.kill(name);
      await services.query(`drop schema ${SECOND} cascade`);
      happened('market lost');
      await removeKeys(stage);
      await restore(stage, dump);
      happened('market restored');
      await rm(folder, { recursive: true });
      await startMarket(stage);
      await send(stage, after, 'after');
    },
    judge: (stage) => judgeSecond(stage, stage.services.query, [...before.ids, ...after.ids]),
  };
};

/** The commands as the page has them, which name the market and its corridor. */
async function restore({ services, signal }: Stage, dump: string): Promise<void> {
  const page = await readFile(join(REPOSITORY, 'docs', 'backup.md'), 'utf8');
  const [commands = 'false'] = blocksOf(page, 'One market, while others run');
  const { databaseUrl: DATABASE_URL, redisUrl: REDIS_URL } = services;
  const PATH = `${findPostgresBin()}:${process.env['PATH']}`;
  const env = { PATH, DATABASE_URL, REDIS_URL, DUMP: dump };
  await promisify(execFile)('/bin/sh', ['-eu', '-c', commands], { cwd: REPOSITORY, env, signal });
}

async function startMarket({ engine }: Stage): Promise<void> {
  for (const role of ['api', 'worker'] as const) {
    await engine.start(role, `other-${role}`, { environment: ENVIRONMENT });
  }
}

/** Posts to the market until it has acknowledged its share, and waits until all of it is scored. */
async function send(stage: Stage, ledger: Ledger, seed: string): Promise<void> {
  const { url } = stage.engine.process('other-api');
  const options = { url, rate: RATE, ledger, seed: `${stage.seed} ${seed}` };
  const { load, posted } = loadSecond(stage, options);
  await posted(SHARE * stage.transactions);
  await load.finish();
  await stage.until(`${SECOND} at rest`, async () => {
    const [left] = await stage.services.query(`select from ${SECOND}.open_rows limit 1`);
    return left === undefined;
  });
}

async function removeKeys({ services: { client } }: Stage): Promise<void> {
  for (const pattern of [`${SECOND}:*`, `{${SECOND}:*`]) {
    for (const key of await client.keys(pattern)) await client.unlink(key);
  }
}

export const restoreMarket: Scenario = {
  name: 'restore-market',
  what: 'one market restored from a dump of the whole database while another goes on',
  setup: { countersExact: false },
  startServices: (options) => startServices({ ...options, postgresBin: findPostgresBin() }),
  plan,
};
