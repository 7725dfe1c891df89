/** An API process on a primary behind a proxy and a real streaming replica, whose replay a test may pause so that its reads miss a write. */
import { expect } from 'vitest';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { openDatabase } from '../../src/kit/database/open-database.ts';
import type { Database, Statement } from '../../src/kit/database/pool.ts';
import { testConfig } from './config.ts';
import { TEST_MARKET } from './global-setup.ts';
import { DAY_MS } from './reads.ts';
import { type RunningApi, startRunningApi } from './running-api.ts';
import { startTestPostgres, startTestStandby } from './services.ts';
import { PRIMARY_SETTINGS, superuserUrl } from './standby.ts';
import { type Answer, answerOf, input, postOne } from './submit.ts';
import { startTcpProxy } from './tcp-proxy.ts';
import { waitUntil } from './wait-until.ts';

export const PATIENCE_MS = 30_000;
/** Longer than the waits of each test, and than the start of two servers and an API on a busy machine. */
export const REPLICATED_TIMEOUTS = {
  testTimeout: 4 * PATIENCE_MS,
  hookTimeout: 20 * PATIENCE_MS,
};
/** The engine still reads from a replica that a test has paused for less than this. */
const LAG_MS_MAX = '120000';
export const CREATED_AT = new Date(Date.now() - 2 * DAY_MS).toISOString();
/** Lists up to here come from the replica. */
export const TO = new Date(Date.now() - DAY_MS).toISOString();

export const sql = (text: string): Statement => ({ text });

export type ReplicatedApi = Awaited<ReturnType<typeof startReplicatedApi>>;

export async function startReplicatedApi() {
  await using opened = new AsyncDisposableStack();
  const service = opened.use(await startTestPostgres({ settings: PRIMARY_SETTINGS }));
  await migrate({ url: service.url, market: TEST_MARKET, corridors: [] });
  const follower = opened.use(await startTestStandby(service.url));
  const config = testConfig();
  const primary = opened.use(openDatabase(config, service.url, 'test'));
  const proxy = opened.use(await startTcpProxy(service.url));
  const standby = opened.use(openDatabase(config, superuserUrl(follower.url), 'test'));
  const api = opened.use(
    await startRunningApi({
      ...{ DATABASE_URL: proxy.url, DATABASE_REPLICA_URL: follower.url },
      RISK_REPLICA_LAG_MS_MAX: LAG_MS_MAX,
    }),
  );
  const asked = askOf(api);
  // A process that has just started may refuse a post on a busy machine.
  const isTaken = async () => (await postOne(api, input())).status === 201;
  await waitUntil(isTaken, PATIENCE_MS, 'the first post');
  await asked.postedOne('first');
  await asked.untilReplicaHas('first');
  const owned = opened.move();
  return {
    ...{ api, primary, proxy, ...asked },
    pause: () => pause(standby),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Pauses the replay until the end of the block. */
async function pause(standby: Database): Promise<AsyncDisposable> {
  await standby.query(sql('select pg_wal_replay_pause()'));
  const isPaused = async () => {
    const [row] = await standby.query<{ state: string }>(
      sql('select pg_get_wal_replay_pause_state() as state'),
    );
    return row?.state === 'paused';
  };
  await waitUntil(isPaused, PATIENCE_MS, 'the replay to pause');
  return {
    [Symbol.asyncDispose]: async () => {
      await standby.query(sql('select pg_wal_replay_resume()'));
    },
  };
}

const askOf = (api: RunningApi) => {
  const get = async (path: string, prefer?: string): Promise<Answer> =>
    await answerOf(await api.request(path, { headers: prefer ? { Prefer: prefer } : {} }));
  /** The answer to the list of an account, how many transactions it has, and whether the replica gave it. */
  const list = async (accountId: string, prefer?: string) => {
    const path = `/v1/transactions?account_id=${accountId}&to=${TO}`;
    const { status, body, headers } = await get(path, prefer);
    return { status, found: body.items?.length, byReplica: headers.has('age') };
  };
  return {
    ...{ get, list },
    untilReplicaHas: async (accountId: string) => {
      const isThere = async () => {
        const { found, byReplica } = await list(accountId);
        return byReplica && found > 0;
      };
      await waitUntil(isThere, PATIENCE_MS, 'the replica to answer');
    },
    postedOne: async (accountId: string): Promise<string> => {
      const { status, body } = await postOne(
        api,
        input({ created_at: CREATED_AT, account_id: accountId }),
      );
      expect(status).toBe(201);
      return body.transaction_id;
    },
  };
};
