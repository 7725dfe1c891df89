/**
 * A market is lost and restored from a dump of the whole database, by the commands of docs/backup.md, while the other market of
 * the database goes on under load.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Ledger, openLedger } from '../chaos/support/ledger.ts';
import { startLoad } from '../chaos/support/load.ts';
import { NotRun } from '../chaos/support/not-run.ts';
import type { Plan, Scenario, Stage } from '../chaos/support/scenario.ts';
import { startServices } from '../chaos/support/services.ts';

const OTHER = 'market_1';
const CORRIDOR = 'JP-KR';
const RATE = 300;
const BATCH = 100;
/** Share of the set-up's transactions that the lost market has before its dump, and again after the restore. */
const SHARE = 1 / 8;
const ENVIRONMENT = { RISK_MARKET: OTHER, RISK_CORRIDORS: CORRIDOR };

const run = promisify(execFile);
/** The programs that come with the engine have neither pg_dump nor pg_restore. */
const BIN = process.env['RISK_TEST_POSTGRES_BIN'] ?? '';
const program = (name: string) => join(BIN, name);

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
      const dump = await mkdtemp(join(tmpdir(), 'risk-dump-'));
      const file = join(dump, 'all');
      await run(program('pg_dump'), [
        '--format=directory',
        '--no-unlogged-table-data',
        `--file=${file}`,
        services.databaseUrl,
      ]);
      for (const name of ['other-api', 'other-worker']) await engine.kill(name);
      await services.query(`drop schema ${OTHER} cascade`);
      happened('market lost');
      await removeKeys(stage);
      await services.query(`create schema ${OTHER}`);
      const restore = ['--jobs=2', '--no-owner', '--exit-on-error', `--schema=${OTHER}`];
      await run(program('pg_restore'), [...restore, `--dbname=${services.databaseUrl}`, file]);
      happened('market restored');
      await rm(dump, { recursive: true });
      await engine.command(['migrate'], ENVIRONMENT);
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
  startServices: async (options) => {
    if (BIN === '') throw new NotRun('RISK_TEST_POSTGRES_BIN names no folder with pg_dump');
    return await startServices({ ...options, postgresBin: BIN });
  },
  plan,
};
