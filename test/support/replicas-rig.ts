/** An API on a primary behind a proxy, which a test cuts, and on two streaming replicas, whose replay a test pauses. */
import { marketUrl } from '../../bench/support/market.ts';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { openDatabase } from '../../src/kit/database/open-database.ts';
import { testConfig } from './config.ts';
import type { TestDatabase } from './database.ts';
import { TEST_MARKET } from './global-setup.ts';
import { makePrivacyFolder } from './rooms/privacy/settings.ts';
import { startRunningApi } from './running-api.ts';
import { startTestPostgres, startTestStandby } from './services.ts';
import { askPostgres, onServer, PRIMARY_SETTINGS, untilReplayed } from './standby.ts';
import { type Answer, answerOf, send } from './submit.ts';
import { startTcpProxy } from './tcp-proxy.ts';
import { waitUntil } from './wait-until.ts';

export const PATIENCE_MS = 30_000;

/** Less than the default, as a test waits for it, and more than a busy machine takes between two steps of a test. */
export const LAG_MS_MAX = 6000;
/** A commit is in the WAL that the primary reports, as in production. */
const SETTINGS = { ...PRIMARY_SETTINGS, synchronous_commit: 'on' };
export const STALE = 'x-risk-stale-since';

export async function startReplicasRig() {
  await using opened = new AsyncDisposableStack();
  const service = opened.use(await startTestPostgres({ settings: SETTINGS }));
  await migrate({ url: service.url, market: TEST_MARKET, corridors: [] });
  const standbys = [
    opened.use(await startTestStandby(service.url)),
    opened.use(await startTestStandby(service.url)),
  ];
  const primary = opened.use(openDatabase(testConfig(), service.url, 'test'));
  const proxy = opened.use(await startTcpProxy(service.url));
  const privacy = opened.use(await makePrivacyFolder());
  const api = opened.use(
    await startRunningApi({
      ...privacy.settings,
      DATABASE_URL: proxy.url,
      DATABASE_REPLICA_URL: standbys.map(({ url }) => url).join(','),
      RISK_REPLICA_LAG_MS_MAX: String(LAG_MS_MAX),
    }),
  );
  const get = async (path: string, headers: Record<string, string> = {}): Promise<Answer> =>
    await answerOf(await api.request(path, { headers }));
  const by = async (key: string, path = '/v1/me') =>
    (await send(api, 'GET', path, undefined, key)).status;
  const replica = async () => (await get('/readyz')).body.replica;
  const untilUp = async () => {
    const isUp = async () => (await replica())?.state === 'up' && (await get('/v1/me')).status;
    await waitUntil(isUp, PATIENCE_MS, 'a replica in step');
  };
  /** Cuts the way to the primary until the end of the block, and returns once a replica answers where one may. */
  const cut = async (mayStandIn = true): Promise<AsyncDisposable> => {
    proxy.inflict({ kind: 'reset' });
    const isAway = async () => {
      const { status, headers } = await get('/v1/me');
      return mayStandIn ? headers.has(STALE) : status === 503;
    };
    await waitUntil(isAway, PATIENCE_MS, 'the primary to be away');
    return {
      async [Symbol.asyncDispose]() {
        proxy.heal();
        const isBack = async () => {
          const { status, headers } = await get('/v1/me');
          return status === 200 && !headers.has(STALE);
        };
        await waitUntil(isBack, 10_000, 'the primary to be back');
      },
    };
  };
  const pause = async (which = standbys): Promise<AsyncDisposable> => {
    for (const each of which) {
      await onServer(each, 'select pg_wal_replay_pause()');
      const isPaused = async () =>
        (await onServer(each, 'select pg_get_wal_replay_pause_state()')) === 'paused';
      await waitUntil(isPaused, PATIENCE_MS, 'the replay to pause');
    }
    return {
      async [Symbol.asyncDispose]() {
        for (const each of which) await onServer(each, 'select pg_wal_replay_resume()');
      },
    };
  };
  const sql: TestDatabase['sql'] = (text, values = []) =>
    askPostgres(marketUrl(service.url), text, [...values]);
  const makeKey = async (): Promise<{ key_id: string; key: string }> => {
    const asked = { roles: ['analyst'], owner: 'me' };
    const made = await answerOf(await api.post('/v1/keys', asked));
    return made.body;
  };
  const declared = await send(api, 'PUT', '/v1/personal-fields/metadata.customer');
  if (declared.status !== 200) throw new Error(JSON.stringify(declared.body));
  await untilUp();
  const owned = opened.move();
  return {
    ...{
      api,
      sql,
      settings: privacy.settings,
      service,
      primary,
      standbys,
      get,
      by,
      replica,
      untilReplayed: () => untilReplayed(service, standbys),
      untilUp,
      cut,
      pause,
      makeKey,
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
