/**
 * Goal: after a failover nothing goes on reading the old Postgres, whose sockets stay open. Method: a proxy that leads new connections
 * to another server: two servers of their own for pools, and a primary with standbys for an API and its replica.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { openDatabase, openProbe } from '../../src/kit/database/open-database.ts';
import type { Database, PoolOptions } from '../../src/kit/database/pool.ts';
import { openReplicas } from '../../src/kit/database/replica/replicas.ts';
import { followServer } from '../../src/kit/database/server.ts';
import { createMetrics } from '../../src/kit/metrics/metrics.ts';
import { silentLog, testConfig } from '../support/config.ts';
import { setControl } from '../support/controls.ts';
import { TEST_MARKET } from '../support/global-setup.ts';
import { type RunningApi, startRunningApi } from '../support/running-api.ts';
import { startTestPostgres, startTestStandby, type TestService } from '../support/services.ts';
import { askPostgres, PRIMARY_SETTINGS, superuserUrl } from '../support/standby.ts';
import { storeTransactions } from '../support/stored-rows.ts';
import { answerOf, input, postOne } from '../support/submit.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { waitUntil } from '../support/wait-until.ts';

/** The promise is 30 s; `waitUntil` allows a busy machine a multiple of its deadline. */
const READERS_MS = 15_000;
const PATIENCE_MS = 30_000;

const config = testConfig();
const sql = (text: string) => ({ text });

/** Makes a server refuse writes in sessions that are open, as one that was demoted does. */
async function demote({ url }: TestService): Promise<void> {
  await askPostgres(superuserUrl(url), 'alter system set default_transaction_read_only = on');
  await askPostgres(superuserUrl(url), 'select pg_reload_conf()');
}

const portOf = async ({ query }: Pick<Database, 'query'>): Promise<string> => {
  const [row] = await query<{ port: string }>(sql(`select current_setting('port') as port`));
  return row?.port ?? '';
};

describe('pools of two servers', () => {
  const opened = new AsyncDisposableStack();
  let [old, young]: TestService[] = [];
  beforeAll(async () => {
    [old, young] = await Promise.all([startTestPostgres(), startTestPostgres()]);
    for (const service of [old, young]) opened.use(service);
  });
  afterAll(() => opened.disposeAsync());

  /** Pools behind a proxy to the old server, which follow its address. */
  async function openPools(everyMs: number) {
    await using stack = new AsyncDisposableStack();
    if (old === undefined || young === undefined) throw new Error('no servers');
    const proxy = stack.use(await startTcpProxy(old.url));
    const open = (role: string, more: Partial<PoolOptions>) =>
      openDatabase(config, proxy.url, role, { connectionsMax: 2, ...more });
    const server = stack.use(
      followServer((own) => open('test-server', { server: own }), silentLog(), everyMs),
    );
    const reader = stack.use(open('test-reader', { server, idleTimeoutMs: 0 }));
    const writer = stack.use(open('test-writer', { server }));
    const [ports, owned] = [[old, young].map(({ url }) => new URL(url).port), stack.move()];
    return {
      ...{ reader, writer, old, oldPort: ports[0], youngPort: ports[1] },
      failOver: () => proxy.leadTo(young?.url ?? ''),
      [Symbol.asyncDispose]: () => owned.disposeAsync(),
    };
  }
  const NEVER_MS = 2 ** 30;

  test('a pool that only reads is asked anew where its address leads', async () => {
    await using pools = await openPools(100);
    const { reader, oldPort, youngPort } = pools;
    expect(await portOf(reader)).toBe(oldPort);
    pools.failOver();
    const hasMoved = async () => (await portOf(reader)) === youngPort;
    await waitUntil(hasMoved, READERS_MS, 'the reader to move');
    expect(reader.usage().total).toBe(1);
  });

  test('a connection to the present server stays however often it is asked', async () => {
    await using pools = await openPools(50);
    const pidOf = () => pools.reader.query(sql('select pg_backend_pid() as pid'));
    const before = await pidOf();
    const asked = async () =>
      await askPostgres<{ count: number }>(
        superuserUrl(pools.old.url),
        `select sum(sessions)::int as count from pg_stat_database where datname <> 'postgres'`,
      );
    const [{ count: first } = { count: 0 }] = await asked();
    const isAsked = async () => ((await asked())[0]?.count ?? 0) > first + 5;
    await waitUntil(isAsked, PATIENCE_MS, 'connections that ask');
    expect(await pidOf()).toEqual(before);
  });

  test('a refused write moves what only reads, and a connection that is lent out moves once it is back', async () => {
    await using pools = await openPools(NEVER_MS);
    const { reader, writer, oldPort, youngPort } = pools;
    expect([await portOf(reader), await portOf(writer)]).toEqual([oldPort, oldPort]);
    await demote(pools.old);
    pools.failOver();
    const write = sql('create schema if not exists written');
    const isRefused = async () =>
      (await writer.write(write).catch((error: unknown) => error)) instanceof Error;
    await reader.session(async (_client, _begin, query) => {
      await waitUntil(isRefused, PATIENCE_MS, 'the old server to refuse');
      await writer.write(write);
      expect([await portOf(writer), await portOf({ query })]).toEqual([youngPort, oldPort]);
    });
    expect([await portOf(reader), await portOf(reader)]).toEqual([youngPort, youngPort]);
  });
});

describe('a primary and its standbys', () => {
  const opened = new AsyncDisposableStack();
  let services: Record<'primary' | 'standby' | 'other', TestService>;
  let address: TcpProxy;
  let api: RunningApi;
  beforeAll(async () => {
    const primary = opened.use(await startTestPostgres({ settings: PRIMARY_SETTINGS }));
    await migrate({ url: primary.url, market: TEST_MARKET, corridors: [] });
    const standby = opened.use(await startTestStandby(primary.url));
    const other = opened.use(await startTestStandby(primary.url));
    services = { primary, standby, other };
    address = opened.use(await startTcpProxy(primary.url));
    api = opened.use(await startRunningApi({ DATABASE_URL: address.url }));
    const keys = `select from ${TEST_MARKET}.api_keys`;
    const hasKeys = async () => (await askPostgres(standby.url, keys)).length > 0;
    // The tests' Postgres commits asynchronously: a standby that is promoted too early lacks the key of the API, and refuses searches.
    await waitUntil(hasKeys, PATIENCE_MS, 'the standby to have the keys');
  });
  afterAll(() => opened.disposeAsync());

  async function promote({ url }: TestService): Promise<void> {
    const isStandby = 'select pg_is_in_recovery() as "isStandby"';
    const [row] = await askPostgres<{ isStandby: boolean }>(superuserUrl(url), isStandby);
    if (row?.isStandby === true) await askPostgres(superuserUrl(url), 'select pg_promote()');
  }

  test('a replica that was promoted is left for the standby to which its address leads', async () => {
    const { primary, standby, other } = services;
    await using replicaAddress = await startTcpProxy(standby.url);
    await using probe = openProbe(config, primary.url, 'test');
    const options = { config, urls: [replicaAddress.url], primary: probe, log: silentLog() };
    await using replica = openReplicas({ ...options, metrics: createMetrics(), everyMs: 50 });
    const until = (state: string) =>
      waitUntil(() => replica.status().state === state, READERS_MS, `the replica to be ${state}`);
    await until('up');
    await promote(standby);
    await until('down');
    replicaAddress.leadTo(other.url);
    await until('up');
  });

  test('searches, stops and new payments are those of the new primary, though nothing was written meanwhile', async () => {
    const { primary, standby } = services;
    const find = async (accountId: string) => {
      const { body } = await answerOf(
        await api.request(`/v1/transactions?account_id=${accountId}`),
      );
      return body.items?.length;
    };
    const isTaken = async () => (await postOne(api, input())).status === 201;
    await waitUntil(isTaken, PATIENCE_MS, 'the first post');
    expect(await find('moved')).toBe(0);
    await promote(standby);
    await demote(primary);
    await using onStandby = openDatabase(config, standby.url, 'test');
    await storeTransactions(onStandby, [{ createdAtMs: Date.now(), accountId: 'moved', score: 1 }]);
    await setControl(onStandby, 'stop', 'corridor:US-EG');
    address.leadTo(standby.url);
    await waitUntil(async () => (await find('moved')) === 1, READERS_MS, 'the search to move');
    const isStopped = async () =>
      (await postOne(api, input())).body.type === 'urn:risk:problem:scope-stopped';
    await waitUntil(isStopped, READERS_MS, 'the stop of the new primary');
    const isOtherTaken = async () =>
      (await postOne(api, input({ corridor: 'US-MX' }))).status === 201;
    await waitUntil(isOtherTaken, PATIENCE_MS, 'a post of another corridor');
  });
});
