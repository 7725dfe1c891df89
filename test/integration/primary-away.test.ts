/**
 * Goal: while the primary is away, a replica answers reads and says since when it may lack something, and nothing that the replica
 * lacks is taken for unknown, complete or in force. Method: an API process on a primary behind a proxy, which is cut, and on two real
 * streaming replicas, whose replay is paused; the primary itself goes on, and the replicas get what a test writes to it.
 */
import { expect, test, vi } from 'vitest';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { openDatabase } from '../../src/kit/database/open-database.ts';
import { openBrowser } from '../support/browser.ts';
import { testConfig } from '../support/config.ts';
import { TEST_MARKET } from '../support/global-setup.ts';
import { openForFile } from '../support/open-for-file.ts';
import { DAY_MS } from '../support/reads.ts';
import { RUNNING_API_KEY, startRunningApi } from '../support/running-api.ts';
import { startTestPostgres, startTestStandby, type TestService } from '../support/services.ts';
import { askPostgres, PRIMARY_SETTINGS, superuserUrl } from '../support/standby.ts';
import { idAt, storeTransactions } from '../support/stored-rows.ts';
import { type Answer, answerOf, input, postOne, send } from '../support/submit.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { waitUntil } from '../support/wait-until.ts';

const PATIENCE_MS = 30_000;
vi.setConfig({ testTimeout: 4 * PATIENCE_MS, hookTimeout: 20 * PATIENCE_MS });

/** Less than the default, as a test waits for it, and more than a busy machine takes between two steps of a test. */
const LAG_MS_MAX = 6000;
/** A commit is in the WAL that the primary reports, as in production. */
const SETTINGS = { ...PRIMARY_SETTINGS, synchronous_commit: 'on' };
/** Older than five minutes, and as new as a payment. */
const AGES_MS = [DAY_MS, 0];
const STALE = 'x-risk-stale-since';

const onServer = async ({ url }: TestService, statement: string): Promise<unknown> => {
  const [row = {}] = await askPostgres(superuserUrl(url), statement);
  return Object.values(row)[0];
};

async function startRig() {
  await using opened = new AsyncDisposableStack();
  const service = opened.use(await startTestPostgres({ settings: SETTINGS }));
  await migrate({ url: service.url, market: TEST_MARKET, corridors: [] });
  const standbys = [
    opened.use(await startTestStandby(service.url)),
    opened.use(await startTestStandby(service.url)),
  ];
  const primary = opened.use(openDatabase(testConfig(), service.url, 'test'));
  const proxy = opened.use(await startTcpProxy(service.url));
  const api = opened.use(
    await startRunningApi({
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
  /** Returns once both replicas have replayed everything that is committed now. */
  const untilReplayed = async () => {
    const lsn = await onServer(service, 'select pg_current_wal_insert_lsn()');
    const isThere = `select pg_last_wal_replay_lsn() >= '${lsn}'::pg_lsn`;
    for (const each of standbys) {
      await waitUntil(async () => await onServer(each, isThere), PATIENCE_MS, 'the replay');
    }
  };
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
  const makeKey = async (): Promise<{ key_id: string; key: string }> => {
    const asked = { roles: ['analyst'], owner: 'me' };
    const made = await answerOf(await api.post('/v1/keys', asked));
    expect(made.status).toBe(201);
    return made.body;
  };
  await untilUp();
  const owned = opened.move();
  return {
    ...{ api, primary, standbys, get, by, replica, untilReplayed, untilUp, cut, pause, makeKey },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const rig = await openForFile(startRig());
const { api, get } = rig;

const store = (accountId: string, ...agesMs: number[]) =>
  storeTransactions(
    rig.primary,
    agesMs.map((ageMs) => ({ createdAtMs: Date.now() - ageMs, accountId, score: 900 })),
  );
const revoke = (keyId: string) =>
  rig.primary.write({
    text: `update market.api_keys set revoked_at = now() where key_id = '${keyId}'`,
  });
const day = new Date(Date.now() - DAY_MS).toISOString().slice(0, 10);

test('reads go on by a replica that says since when it may lack something, and come back', async () => {
  const [old = '', young = ''] = await store('away', ...AGES_MS);
  const list = '/v1/transactions?account_id=away';
  expect((await get(list)).body).toMatchObject({ complete: true });
  const tag = (await get(`/v1/scores/${old}`)).headers.get('etag') ?? '';
  await rig.untilReplayed();
  await rig.untilUp();
  const beforeMs = Date.now();
  {
    await using _cut = await rig.cut();
    const reads: [string, object][] = [
      [list, { complete: false, items: [{ transaction_id: young }, { transaction_id: old }] }],
      [`${list}&to=${new Date(Date.now() - DAY_MS / 2).toISOString()}`, { complete: false }],
      [`/v1/transactions/${young}`, { account_id: 'away' }],
      [`/v1/transactions/${old}?expand=labels,neighbours`, { labels: { complete: false } }],
      [`/v1/scores/${young}`, { score: 900 }],
      ['/v1/accounts/away/profile', { complete: false }],
      ['/v1/labels', { complete: false, items: [] }],
      [`/v1/summaries/daily?from=${day}&to=${day}`, { items: [{ transactions: 1 }] }],
      ['/v1/corridors', {}],
      ['/v1/lists', {}],
      ['/v1/audit', {}],
      ['/v1/reviews', {}],
      ['/v1/status', { postgres: 'down', replica: { state: 'up' } }],
    ];
    for (const [path, found] of reads) {
      const { status, headers, body } = await get(path);
      expect([path, status, body]).toEqual([path, 200, expect.anything()]);
      expect(body).toMatchObject(found);
      const since = Date.parse(headers.get(STALE) ?? '');
      expect([path, since > beforeMs - 5000, since < Date.now()]).toEqual([path, true, true]);
    }
    const kept = await get(`/v1/scores/${old}`, { 'If-None-Match': tag });
    expect([kept.status, kept.headers.has(STALE)]).toEqual([304, true]);
    const refused = [
      await get(`/v1/transactions/${idAt(Date.now())}`),
      await get(`/v1/scores/${idAt(Date.now() - DAY_MS)}`),
      await get('/v1/accounts/nobody/profile'),
      await get(list, { Prefer: 'read=primary' }),
      await get(`/v1/exports/transactions?format=csv&account_id=away`),
      await postOne(api, input()),
      await postOne(api, input(), { Prefer: 'wait=2' }),
      await send(api, 'POST', '/v1/labels', { labels: [] }),
    ];
    const isLater = ({ headers }: Answer) => Number(headers.get('retry-after')) > 0;
    expect(refused.map((answer) => [answer.status, isLater(answer)])).toEqual(
      refused.map(() => [503, true]),
    );
    expect((await get('/v1/nothing')).status).toBe(404);
    const { status, body } = await get('/readyz');
    expect([status, body.status, body.postgres]).toEqual([200, 'ready', 'unavailable']);
  }
  expect((await get(`/v1/transactions/${idAt(Date.now())}`)).status).toBe(404);
  expect((await get(list)).body).toMatchObject({ complete: true });
  const isTaken = async () => (await postOne(api, input())).status === 201;
  await waitUntil(isTaken, 10_000, 'a post to be taken');
});

test('keys and sessions count as the replica has them, and nothing that was seen revoked counts', async () => {
  const [known, ended, revoked, meanwhile] = await Promise.all([1, 2, 3, 4].map(rig.makeKey));
  if (!(known && ended && revoked && meanwhile)) throw new Error('four keys were made');
  const browser = openBrowser(api.url);
  const [open, closed] = [await browser.logIn(), await browser.logIn()];
  for (const { key } of [known, ended, revoked]) expect(await rig.by(key)).toBe(200);
  await rig.untilReplayed();
  await rig.untilUp();
  let fresh: string;
  let unseen: string;
  {
    await using paused = await rig.pause();
    ({ key: fresh } = await rig.makeKey());
    ({ key: unseen } = await rig.makeKey());
    expect(await rig.by(fresh)).toBe(200);
    await revoke(revoked.key_id);
    await waitUntil(async () => (await rig.by(revoked.key)) === 401, PATIENCE_MS, 'the revocation');
    await using _cut = await rig.cut();
    const keys = [known.key, ended.key, fresh, meanwhile.key, revoked.key, unseen];
    const statuses = [];
    for (const key of keys) statuses.push(await rig.by(key));
    expect(statuses).toEqual([200, 200, 200, 200, 401, 401]);
    expect(await browser.statusOf(open.cookie)).toBe(200);
    // This process alone has lost the primary, and the replicas learn what is revoked and ended there.
    await revoke(ended.key_id);
    await revoke(meanwhile.key_id);
    await rig.primary.write({
      text: `update market.sessions set ended_at = now() where session_id = '${closed.id}'`,
    });
    await paused[Symbol.asyncDispose]();
    await rig.untilReplayed();
    const isRefused = async () => {
      const now = [await rig.by(ended.key), await browser.statusOf(closed.cookie)];
      return now.every((status) => status === 401);
    };
    await waitUntil(isRefused, PATIENCE_MS, 'the replica to refuse');
    expect([await rig.by(meanwhile.key), await rig.by(known.key)]).toEqual([401, 200]);
    await waitUntil(async () => (await rig.by(unseen)) === 200, PATIENCE_MS, 'the replica to have it');
    expect(await browser.statusOf(open.cookie)).toBe(200);
  }
  expect(await rig.by(revoked.key)).toBe(401);
});

test('the freshest replica stands in, and none that was behind when the primary was last seen', async () => {
  await rig.untilReplayed();
  await rig.untilUp();
  const { standbys } = rig;
  await using _slow = await rig.pause(standbys.slice(0, 1));
  const [first = ''] = await store('freshest', DAY_MS);
  const list = `/v1/transactions?account_id=freshest&to=${new Date(Date.now() - DAY_MS / 2).toISOString()}`;
  const isFound = async () => {
    const { headers, body } = await get(list);
    return headers.has('age') && body.items.length === 1;
  };
  await waitUntil(isFound, PATIENCE_MS, 'the fresher replica to answer');
  {
    await using _cut = await rig.cut();
    expect((await get(`/v1/transactions/${first}`)).status).toBe(200);
  }
  await using _both = await rig.pause(standbys);
  await store('behind', DAY_MS);
  const isBehind = async () => (await rig.replica()).state === 'lagging';
  await waitUntil(isBehind, PATIENCE_MS, 'both replicas to lag');
  await using _cut = await rig.cut(false);
  expect((await get(`/v1/transactions/${first}`)).status).toBe(503);
  const isUnready = async () => (await get('/readyz')).status === 503;
  await waitUntil(isUnready, PATIENCE_MS, 'the process to be unready');
  const { status, headers } = await get('/v1/status');
  expect([status, headers.has(STALE)]).toEqual([200, false]);
  expect(await rig.by(RUNNING_API_KEY, '/v1/me')).toBe(503);
});
