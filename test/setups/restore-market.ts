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
import { startLoad } from '../chaos/support/load.ts';
import type { Plan, Scenario, Stage } from '../chaos/support/scenario.ts';
import { startServices } from '../chaos/support/services.ts';
import { blocksOf } from '../drills/support/page.ts';
import { findPostgresBin } from '../drills/support/programs.ts';
import { REPOSITORY } from '../support/risk.ts';

const OTHER = 'market_1';
const CORRIDOR = 'JP-KR';
const RATE = 300;
const BATCH = 100;
/** Share of the set-up's transactions that the lost market has before its dump, and again after the restore. */
const SHARE = 1 / 8;
const ENVIRONMENT = { RISK_MARKET: OTHER, RISK_CORRIDORS: CORRIDOR };

const plan = (): Plan => {
  const before = openLedger();
  const after = openLedger();
  return {
    schedule: [`${OTHER} is made, dumped with the database, lost and restored`],
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
      await services.query(`drop schema ${OTHER} cascade`);
      happened('market lost');
      await removeKeys(stage);
      await restore(stage, dump);
      happened('market restored');
      await rm(folder, { recursive: true });
      await startMarket(stage);
      await send(stage, after, 'after');
    },
    judge: async ({ services, bar }) => {
      const accepted = [...before.ids, ...after.ids];
      const [found] = await services.query<Record<Figure, number>>(FIGURES, [accepted]);
      for (const [figure, rows] of Object.entries(found ?? {})) {
        const exactly = figure === 'doubled' ? 0 : accepted.length;
        bar(`${OTHER}: ${figure}`, rows, { exactly });
      }
    },
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
  const { engine, services, signal } = stage;
  const [api] = engine.running('api').filter(({ name }) => name === 'other-api');
  const load = startLoad({
    ...{ urls: [api?.url ?? ''], apiKey: engine.apiKey, ledger, seed: `${stage.seed} ${seed}` },
    ...{ corridor: CORRIDOR, rate: RATE, batch: BATCH, connections: 2, signal },
  });
  const goal = SHARE * stage.transactions;
  await stage.until(`${goal} of ${OTHER}`, () => ledger.counts.acknowledged >= goal);
  await load.finish();
  await stage.until(`${OTHER} at rest`, async () => {
    const [left] = await services.query(`select from ${OTHER}.open_rows limit 1`);
    return left === undefined;
  });
}

async function removeKeys({ services: { client } }: Stage): Promise<void> {
  for (const pattern of [`${OTHER}:*`, `{${OTHER}:*`]) {
    for (const key of await client.keys(pattern)) await client.unlink(key);
  }
}

type Figure = 'stored' | 'scored' | 'doubled';
const FIGURES = `
  select (select count(*)::int from ${OTHER}.transactions where transaction_id = any ($1::uuid[])) as stored,
         (select count(*)::int from ${OTHER}.scores where transaction_id = any ($1::uuid[])) as scored,
         (select count(*)::int - count(distinct transaction_id)::int from ${OTHER}.scores) as doubled`;

export const restoreMarket: Scenario = {
  name: 'restore-market',
  what: 'one market restored from a dump of the whole database while another goes on',
  setup: { countersExact: false },
  startServices: (options) => startServices({ ...options, postgresBin: findPostgresBin() }),
  plan,
};
