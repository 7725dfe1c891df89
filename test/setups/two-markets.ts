/**
 * Two markets share a database, a Redis and a role. Each has an API and a worker under load, and gets the same idempotency keys of
 * the same accounts. The second is made and migrated while the first works, a third is made and dropped, and processes of the
 * first are restarted.
 */
import { openLedger } from '../chaos/support/ledger.ts';
import { type Load, startLoad } from '../chaos/support/load.ts';
import type { Plan, Scenario, Stage } from '../chaos/support/scenario.ts';

const [OURS, OTHER, SHORT_LIVED] = ['market_0', 'market_1', 'market_2'];
const CORRIDOR = 'JP-KR';
const TIMES = 3;
const BETWEEN_MS = 1000;
const RATE = 300;
const BATCH = 100;
/** Least share of the set-up's transactions that is posted to the other market. */
const SHARE = 1 / 4;

const plan = (): Plan => {
  const ledger = openLedger();
  let load: Load | undefined;
  return {
    schedule: [
      `${OTHER} is made`,
      `${TIMES}× ${SHORT_LIVED} is made and dropped, ${OTHER} migrated again, a worker of ${OURS} killed`,
    ],
    faults: ['market made', 'market dropped', 'market migrated', 'worker started anew'],
    run: async (stage) => {
      const { engine, happened, seed, signal } = stage;
      await stage.progress(SHARE / 2);
      await migrate(stage, OTHER, CORRIDOR);
      const environment = { RISK_MARKET: OTHER };
      const api = await engine.start('api', 'other-api', { environment });
      await engine.start('worker', 'other-worker', { environment });
      happened('market made');
      load = startLoad({
        ...{ urls: [api.url], apiKey: engine.apiKey, ledger, seed, corridor: CORRIDOR },
        ...{ rate: RATE, batch: BATCH, connections: 2, signal },
      });
      for (let time = 0; time < TIMES; time++) {
        await migrate(stage, SHORT_LIVED, 'KR-JP');
        await stage.services.query(`drop schema ${SHORT_LIVED} cascade`);
        happened('market dropped');
        await migrate(stage, OTHER, CORRIDOR);
        happened('market migrated');
        await engine.kill('worker-1');
        await engine.start('worker', 'worker-1');
        happened('worker started anew');
        await stage.pause(BETWEEN_MS);
      }
      const goal = SHARE * stage.transactions;
      await stage.until(`${goal} of ${OTHER}`, () => ledger.counts.acknowledged >= goal);
      await load.finish();
    },
    judge: async (stage) => judge(stage, ledger.ids),
  };
};

const migrate = ({ engine }: Stage, market: string | undefined, corridor: string) =>
  engine.command(['migrate'], { RISK_MARKET: market ?? '', RISK_CORRIDORS: corridor });

/** The checker checks the invariants of the first market only; these are the other's. */
async function judge(
  { services: { query }, bar, until }: Stage,
  accepted: readonly string[],
): Promise<void> {
  const read = async () => {
    const [found] = await query<Record<Figure, number>>(FIGURES, [accepted, CORRIDOR]);
    if (found === undefined) throw new Error('an aggregate returned no row');
    return found;
  };
  await until(`${OTHER} at rest`, async () => (await read()).lost === 0).catch(() => undefined);
  const found = await read();
  bar(`${OTHER}: accepted, and stored`, found.stored, { exactly: accepted.length });
  bar(`${OTHER}: scored`, found.scored, { exactly: accepted.length });
  bar(`${OTHER}: lost`, found.lost, { exactly: 0 });
  bar(`${OTHER}: doubled`, found.doubled, { exactly: 0 });
  bar(`rows of ${OTHER} in ${OURS}`, found.theirs, { exactly: 0 });
  bar(`rows of ${OURS} in ${OTHER}`, found.ours, { exactly: 0 });
  bar('roles with settings', found.altered, { exactly: 0 });
}

type Figure = 'stored' | 'scored' | 'lost' | 'doubled' | 'theirs' | 'ours' | 'altered';
const FIGURES = `
  select (select count(*)::int from ${OTHER}.transactions) as stored,
         (select count(*)::int from ${OTHER}.scores) as scored,
         (select count(*)::int from unnest($1::uuid[]) a (id)
           where not exists (select from ${OTHER}.scores s where s.transaction_id = a.id)) as lost,
         (select count(*)::int - count(distinct transaction_id)::int from ${OTHER}.scores) as doubled,
         (select count(*)::int from ${OURS}.transactions where corridor = $2)
           + (select count(*)::int from ${OURS}.scores where corridor = $2) as theirs,
         (select count(*)::int from ${OTHER}.transactions where corridor <> $2)
           + (select count(*)::int from ${OTHER}.scores where corridor <> $2) as ours,
         (select count(*)::int from pg_db_role_setting) as altered`;

export const twoMarkets: Scenario = {
  name: 'two-markets',
  what: 'two markets in one database, Redis and role, while a third is made and dropped',
  setup: { countersExact: false },
  plan,
};
