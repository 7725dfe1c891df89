/**
 * Two markets share a database, a Redis and a role. Each has an API and a worker under load, and gets the same idempotency keys of
 * the same accounts. The second is made and migrated while the first works, a third is made and dropped, and processes of the
 * first are restarted.
 */
import { openLedger } from '../chaos/support/ledger.ts';
import type { Plan, Scenario, Stage } from '../chaos/support/scenario.ts';
import { judgeSecond, loadSecond, SECOND, SECOND_CORRIDOR } from './support/second-market.ts';

const [OURS, SHORT_LIVED] = ['market_0', 'market_2'] as const;
const TIMES = 3;
const BETWEEN_MS = 1000;
const RATE = 300;
/** Least share of the set-up's transactions that is posted to the other market. */
const SHARE = 1 / 4;

const plan = (): Plan => {
  const ledger = openLedger();
  return {
    schedule: [
      `${SECOND} is made`,
      `${TIMES}× ${SHORT_LIVED} is made and dropped, ${SECOND} migrated again, a worker of ${OURS} killed`,
    ],
    faults: ['market made', 'market dropped', 'market migrated', 'worker started anew'],
    run: async (stage) => {
      const { engine, happened } = stage;
      await stage.progress(SHARE / 2);
      await migrate(stage, SECOND, SECOND_CORRIDOR);
      const environment = { RISK_MARKET: SECOND };
      const api = await engine.start('api', 'other-api', { environment });
      await engine.start('worker', 'other-worker', { environment });
      happened('market made');
      const { load, posted } = loadSecond(stage, { url: api.url, rate: RATE, ledger });
      for (let time = 0; time < TIMES; time++) {
        await migrate(stage, SHORT_LIVED, 'KR-JP');
        await stage.services.query(`drop schema ${SHORT_LIVED} cascade`);
        happened('market dropped');
        await migrate(stage, SECOND, SECOND_CORRIDOR);
        happened('market migrated');
        await engine.kill('worker-1');
        await engine.start('worker', 'worker-1');
        happened('worker started anew');
        await stage.pause(BETWEEN_MS);
      }
      await posted(SHARE * stage.transactions);
      await load.finish();
    },
    judge: async (stage) => {
      await judgeSecond(stage, stage.services.query, ledger.ids);
      await judgeApart(stage);
    },
  };
};

const migrate = ({ engine }: Stage, market: string, corridor: string) =>
  engine.command(['migrate'], { RISK_MARKET: market, RISK_CORRIDORS: corridor });

/** Traces of one market in the other. */
async function judgeApart({ services: { query }, bar }: Stage): Promise<void> {
  const [found] = await query<Record<Figure, number>>(FIGURES, [SECOND_CORRIDOR]);
  bar(`rows of ${SECOND} in ${OURS}`, found?.theirs ?? Number.NaN, { exactly: 0 });
  bar(`rows of ${OURS} in ${SECOND}`, found?.ours ?? Number.NaN, { exactly: 0 });
  bar('roles with settings', found?.altered ?? Number.NaN, { exactly: 0 });
}

type Figure = 'theirs' | 'ours' | 'altered';
const FIGURES = `
  select (select count(*)::int from ${OURS}.transactions where corridor = $1)
           + (select count(*)::int from ${OURS}.scores where corridor = $1) as theirs,
         (select count(*)::int from ${SECOND}.transactions where corridor <> $1)
           + (select count(*)::int from ${SECOND}.scores where corridor <> $1) as ours,
         (select count(*)::int from pg_db_role_setting) as altered`;

export const twoMarkets: Scenario = {
  name: 'two-markets',
  what: 'two markets in one database, Redis and role, while a third is made and dropped',
  setup: { countersExact: false },
  plan,
};
