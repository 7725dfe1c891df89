/**
 * A market moves to another Postgres and another Redis while clients post: a streaming replica becomes its server. The market is
 * frozen and drained, its processes end, the replica is promoted, processes start with the new addresses, another person resumes.
 * The other market works on all the while.
 */
import { askApi } from '../chaos/support/ask.ts';
import { openLedger } from '../chaos/support/ledger.ts';
import type { Plan, Scenario, Stage } from '../chaos/support/scenario.ts';
import type { Replica } from '../chaos/support/services.ts';
import type { Query } from '../chaos/support/sessions.ts';
import { runRiskProcess } from '../support/risk.ts';
import { askPostgres, superuserUrl } from '../support/standby.ts';
import { replicaOf, startWithReplica } from './support/replica.ts';
import { judgeSecond, loadSecond, SECOND, SECOND_CORRIDOR } from './support/second-market.ts';

const OURS = 'market_0';
const RATE = 200;
/** Transactions of the market that are posted before it moves, and afterwards. */
const SHARE = 1 / 8;
const DRAINED_MS_MAX = 60_000;

/** A command of the engine on the market's first server. @returns what it prints as JSON */
async function risk({ services }: Stage, args: readonly string[]) {
  const environment = {
    DATABASE_URL: services.databaseUrl,
    REDIS_URL: services.redisUrl,
    RISK_MARKET: SECOND,
  };
  return JSON.parse((await runRiskProcess([...args, '--json'], environment)).stdout);
}

const makeKey = async (stage: Stage, person: string): Promise<string> =>
  (await risk(stage, ['keys', 'create', '--role', 'admin', '--identity', person])).key;

type Answer = { readonly is_drained?: boolean };

const putFreeze = (url: string, apiKey: string, body: object) =>
  askApi({ url, apiKey }, 'PUT', '/v1/controls/freeze/market', body);

const plan = (): Plan => {
  const ledger = openLedger();
  let redis: Replica | undefined;
  return {
    schedule: [`${SECOND} is frozen, drained, moved to another Postgres and Redis, and resumed`],
    faults: ['market frozen', 'market moved', 'market resumed'],
    run: async (stage) => {
      const { engine, services, happened } = stage;
      const target = replicaOf(stage).url;
      await engine.command(['markets', 'create', SECOND, '--corridors', SECOND_CORRIDOR], {});
      const [ann, bob] = [await makeKey(stage, 'Ann'), await makeKey(stage, 'Bob')];
      const first = { RISK_MARKET: SECOND };
      const { url } = await engine.start('api', 'moved-api', { environment: first });
      await engine.start('worker', 'moved-worker', { environment: first });
      const { load, posted } = loadSecond(stage, { url, rate: RATE, ledger });
      await posted(SHARE * stage.transactions);
      await putFreeze(url, ann, { in_force: true, reason: 'moves to another server' });
      happened('market frozen');
      const isDrained = async () =>
        (await askApi<Answer>({ url, apiKey: ann }, 'GET', `/v1/markets/${SECOND}`)).is_drained ===
        true;
      await stage.until(`${SECOND} is drained`, isDrained, DRAINED_MS_MAX);
      await engine.drain('moved-api');
      await engine.drain('moved-worker');
      const [end] = await services.query<{ lsn: string }>('select pg_current_wal_lsn() as lsn');
      const replayed = async () =>
        (await askPostgres(target, 'select where pg_last_wal_replay_lsn() >= $1', [end?.lsn]))
          .length === 1;
      await stage.until('the replica has everything', replayed);
      await askPostgres(superuserUrl(target), 'select pg_promote()');
      await askPostgres(target, `drop schema ${OURS} cascade`);
      redis = await services.startReplica();
      const second = { ...first, DATABASE_URL: target, REDIS_URL: redis.url };
      await engine.start('api', 'moved-api', { environment: second });
      await engine.start('worker', 'moved-worker', { environment: second });
      happened('market moved');
      await services.query(`drop schema ${SECOND} cascade`);
      await putFreeze(url, bob, { in_force: false, reason: 'works on the other server' });
      happened('market resumed');
      await posted(2 * SHARE * stage.transactions);
      await load.finish();
    },
    judge: async (stage) => {
      const { url } = replicaOf(stage);
      const query: Query = (sql, values = []) => askPostgres(url, sql, [...values]);
      await judgeSecond(stage, query, ledger.ids);
      const keys = (await redis?.client.keys(`*${SECOND}:*`)) ?? [];
      stage.bar('keys of the market in its own Redis', keys.length, { atLeast: 1 });
    },
  };
};

export const moveMarket: Scenario = {
  name: 'move-market',
  what: 'a market moves to another Postgres by a replica, and to a Redis of its own, while clients post',
  setup: { countersExact: false, rate: 200 },
  startServices: async (options) => {
    const owned = new AsyncDisposableStack();
    const services = owned.use(await startWithReplica(options));
    return {
      ...services,
      engineEnvironment: {},
      // The engine stops after the scenario, and before this Redis.
      startReplica: async () => owned.use(await services.startReplica()),
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  },
  plan,
};
