/**
 * A market moves to another Postgres and another Redis while clients post: a streaming replica becomes its server. The market is
 * frozen and drained, its processes end, the replica is promoted, processes start with the new addresses, another person resumes.
 * The other market works on all the while.
 */
import pg from 'pg';
import { type Ledger, openLedger } from '../chaos/support/ledger.ts';
import { startLoad } from '../chaos/support/load.ts';
import type { Plan, Scenario, Stage } from '../chaos/support/scenario.ts';
import type { Replica } from '../chaos/support/services.ts';
import { runRiskProcess } from '../support/risk.ts';
import { superuserUrl } from '../support/standby.ts';
import { replicaOf, startWithReplica } from './replica.ts';

const [OURS, MOVED] = ['market_0', 'market_1'];
const CORRIDOR = 'JP-KR';
const RATE = 200;
const BATCH = 50;
/** Transactions of the market that are posted before it moves, and afterwards. */
const SHARE = 1 / 8;
const DRAINED_MS_MAX = 60_000;

/** Runs on one connection to a Postgres. */
async function on<R extends pg.QueryResultRow>(url: string, sql: string, values: unknown[] = []) {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<R>(sql, values)).rows;
  } finally {
    await client.end();
  }
}

/** A command of the engine on the market's first server. @returns what it prints as JSON */
async function risk({ services }: Stage, args: readonly string[]) {
  const environment = {
    DATABASE_URL: services.databaseUrl,
    REDIS_URL: services.redisUrl,
    RISK_MARKET: MOVED ?? '',
  };
  return JSON.parse((await runRiskProcess([...args, '--json'], environment)).stdout);
}

const makeKey = async (stage: Stage, person: string): Promise<string> =>
  (await risk(stage, ['keys', 'create', '--role', 'admin', '--identity', person])).key;

async function ask(url: string, key: string, path: string, body?: object) {
  const init = body && { method: 'POST', body: JSON.stringify(body) };
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const response = await fetch(`${url}/v1/markets/${MOVED}${path}`, { ...init, headers });
  const answer = (await response.json()) as { state?: string; is_drained?: boolean };
  if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

/** Corridors that a market of each of the two servers claims. */
async function countClaims(stage: Stage): Promise<number> {
  const server = ['--server', replicaOf(stage).url];
  const findings = await risk(stage, ['doctor', '--fleet', 'api=1,worker=1', ...server]);
  return findings.filter(({ check }: { check: string }) => check === 'corridors').length;
}

const plan = (): Plan => {
  const ledger = openLedger();
  let redis: Replica | undefined;
  let claims = { before: Number.NaN, after: Number.NaN };
  return {
    schedule: [`${MOVED} is frozen, drained, moved to another Postgres and Redis, and resumed`],
    faults: ['market frozen', 'market moved', 'market resumed'],
    run: async (stage) => {
      const { engine, services, happened, seed, signal } = stage;
      const target = replicaOf(stage).url;
      await engine.command(['markets', 'create', MOVED ?? '', '--corridors', CORRIDOR], {});
      const [ann, bob] = [await makeKey(stage, 'Ann'), await makeKey(stage, 'Bob')];
      const first = { RISK_MARKET: MOVED ?? '' };
      const { url } = await engine.start('api', 'moved-api', { environment: first });
      await engine.start('worker', 'moved-worker', { environment: first });
      const load = startLoad({
        ...{ urls: [url], apiKey: engine.apiKey, ledger, seed, corridor: CORRIDOR },
        ...{ rate: RATE, batch: BATCH, connections: 2, signal },
      });
      await untilPosted(stage, ledger, SHARE * stage.transactions);
      await ask(url, ann, '/freeze', { reason: 'moves to another server' });
      happened('market frozen');
      const isDrained = async () => (await ask(url, ann, '')).is_drained === true;
      await stage.until(`${MOVED} is drained`, isDrained, DRAINED_MS_MAX);
      await engine.drain('moved-api');
      await engine.drain('moved-worker');
      const [end] = await services.query<{ lsn: string }>('select pg_current_wal_lsn() as lsn');
      const replayed = async () =>
        (await on(target, 'select where pg_last_wal_replay_lsn() >= $1', [end?.lsn])).length === 1;
      await stage.until('the replica has everything', replayed);
      await on(superuserUrl(target), 'select pg_promote()');
      const before = await countClaims(stage);
      await on(target, `drop schema ${OURS} cascade`);
      redis = await services.startReplica();
      const second = { ...first, DATABASE_URL: target, REDIS_URL: redis.url };
      await engine.start('api', 'moved-api', { environment: second });
      await engine.start('worker', 'moved-worker', { environment: second });
      happened('market moved');
      await services.query(`drop schema ${MOVED} cascade`);
      claims = { before, after: await countClaims(stage) };
      await ask(url, bob, '/resume', { reason: 'works on the other server' });
      happened('market resumed');
      await untilPosted(stage, ledger, 2 * SHARE * stage.transactions);
      await load.finish();
    },
    judge: async (stage) => {
      await judge(stage, ledger.ids);
      stage.bar('corridors that two servers claim, before the schemas are dropped', claims.before, {
        atLeast: 1,
      });
      stage.bar('corridors that two servers claim, afterwards', claims.after, { exactly: 0 });
      const keys = (await redis?.client.keys(`*${MOVED}:*`)) ?? [];
      stage.bar('keys of the market in its own Redis', keys.length, { atLeast: 1 });
    },
  };
};

const untilPosted = ({ until }: Stage, ledger: Ledger, goal: number) =>
  until(`${goal} of ${MOVED}`, () => ledger.counts.acknowledged >= goal, DRAINED_MS_MAX);

/** The checker checks the invariants of the market that stays; these are of the market that moved. */
async function judge(stage: Stage, accepted: readonly string[]): Promise<void> {
  const { url } = replicaOf(stage);
  const read = async () => {
    const [found] = await on<Record<Figure, number>>(url, FIGURES, [accepted]);
    if (found === undefined) throw new Error('an aggregate returned no row');
    return found;
  };
  const isAtRest = async () => (await read()).lost === 0;
  await stage.until(`${MOVED} at rest`, isAtRest).catch(() => undefined);
  const found = await read();
  stage.bar(`${MOVED}: accepted, and stored on its new server`, found.stored, {
    exactly: accepted.length,
  });
  stage.bar(`${MOVED}: accepted and without a score`, found.lost, { exactly: 0 });
  stage.bar(`${MOVED}: scored twice`, found.doubled, { exactly: 0 });
  stage.remark(`${MOVED}: ${accepted.length} accepted over both servers, ${found.scored} scored`);
}

type Figure = 'stored' | 'scored' | 'lost' | 'doubled';
const FIGURES = `
  select (select count(*)::int from ${MOVED}.transactions) as stored,
         (select count(*)::int from ${MOVED}.scores) as scored,
         (select count(*)::int from unnest($1::uuid[]) a (id)
           where not exists (select from ${MOVED}.scores s where s.transaction_id = a.id)) as lost,
         (select count(*)::int - count(distinct transaction_id)::int from ${MOVED}.scores) as doubled`;

export const moveMarket: Scenario = {
  name: 'move-market',
  what: 'a market moves to another Postgres by a replica, and to a Redis of its own, while clients post',
  setup: { countersExact: false, rate: 200 },
  startServices: async (options) => ({
    ...(await startWithReplica(options)),
    engineEnvironment: {},
  }),
  plan,
};
