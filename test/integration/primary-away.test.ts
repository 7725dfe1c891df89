/**
 * Goal: while the primary is away, a replica answers reads and says since when it may lack something, and nothing that the replica
 * lacks is taken for unknown, complete or in force. Method: an API process on a primary behind a proxy, which is cut, and on two real
 * streaming replicas, whose replay is paused; the primary itself goes on, and the replicas get what a test writes to it.
 */
import { expect, test } from 'vitest';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { openDatabase } from '../../src/kit/database/open-database.ts';
import { runApiHere } from '../support/api-here.ts';
import { openBrowser } from '../support/browser.ts';
import { testConfig } from '../support/config.ts';
import { openForFile } from '../support/open-for-file.ts';
import { insertPersonKey } from '../support/people.ts';
import { DAY_MS } from '../support/reads.ts';
import { LAG_MS_MAX, PATIENCE_MS, STALE, startReplicasRig } from '../support/replicas-rig.ts';
import { RUNNING_API_KEY } from '../support/running-api.ts';
import { idAt, storeTransactions } from '../support/stored-rows.ts';
import { type Answer, answerOf, input, postOne, send } from '../support/submit.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Older than five minutes, and as new as a payment. */
const AGES_MS = [DAY_MS, 0];

const rig = await openForFile(startReplicasRig());
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
    const asked: [string, object][] = [
      ['/v1/evaluate', input({ account_id: 'away' })],
      ['/v1/rule-sets/check', { version: 2, id: 'tried@1', feature_schema: 1, rules: [] }],
    ];
    for (const [path, body] of asked) {
      const answered = await send(api, 'POST', path, body);
      expect([path, answered.status, answered.body]).toEqual([path, 200, expect.anything()]);
      expect([path, answered.headers.has(STALE)]).toEqual([path, true]);
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
    const isReadyWithout = async () => {
      const { status, body } = await get('/readyz');
      expect([status, body.status]).toEqual([200, 'ready']);
      return body.postgres === 'unavailable';
    };
    await waitUntil(isReadyWithout, PATIENCE_MS, 'the process to be ready without the primary');
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
    const sinceMs = performance.now();
    // Longer than a lookup is cached.
    while (performance.now() - sinceMs < 1000) expect(await rig.by(revoked.key)).toBe(401);
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
    await waitUntil(
      async () => (await rig.by(unseen)) === 200,
      PATIENCE_MS,
      'the replica to have it',
    );
    expect(await browser.statusOf(open.cookie)).toBe(200);
  }
  expect(await rig.by(revoked.key)).toBe(401);
});

test('no clear value is shown, and nothing that writes an audit line is read', async () => {
  const { body: made } = await send(api, 'POST', '/v1/keys', { roles: ['ingest'], owner: 'shop' });
  const payment = input({ metadata: { customer: 'Ann Example' }, account_id: 'personal' });
  const posted = await send(api, 'POST', '/v1/transactions', payment, made.key);
  const path = `/v1/transactions/${posted.body.transaction_id}`;
  const customer = async (key: string) =>
    (await send(api, 'GET', path, undefined, key)).body.metadata.customer;
  const token: string = await customer(RUNNING_API_KEY);
  expect([token, await customer(made.key)]).toEqual([
    expect.stringMatching(/^tok_/),
    'Ann Example',
  ]);
  const reader = await insertPersonKey(rig, 'Rea', ['personal_data']);
  const clear = async () =>
    await answerOf(
      await api.request(`/v1/subjects/${token}`, {
        headers: { Authorization: `Bearer ${reader}`, 'Risk-Reason': 'case 4711' },
      }),
    );
  expect((await clear()).body).toMatchObject({ value: 'Ann Example' });
  await rig.untilReplayed();
  await rig.untilUp();
  await using _cut = await rig.cut();
  expect(await customer(RUNNING_API_KEY)).toBe(token);
  expect((await send(api, 'GET', path, undefined, made.key)).status).toBe(503);
  expect((await clear()).status).toBe(503);
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
    // An absent primary adds no lag.
    const isLong = async () => {
      const { status, headers } = await get(`/v1/transactions/${first}`);
      expect(status).toBe(200);
      return Date.now() - Date.parse(headers.get(STALE) ?? '') > 1.2 * LAG_MS_MAX;
    };
    await waitUntil(isLong, PATIENCE_MS, 'the primary to be away for longer than the bound of lag');
  }
  expect((await get('/v1/status')).status).toBe(200);
  await rig.untilUp();
  await using _both = await rig.pause(standbys);
  await store('behind', DAY_MS);
  const storedMs = performance.now();
  // The status has the lag of the first replica, which is larger. The last check of the primary counts; checks are up to 2.5 s apart.
  const isBehind = async () =>
    (await rig.replica()).state === 'lagging' && performance.now() - storedMs > LAG_MS_MAX + 3000;
  await waitUntil(isBehind, PATIENCE_MS, 'both replicas to lag');
  await using _cut = await rig.cut(false);
  expect((await get(`/v1/transactions/${first}`)).status).toBe(503);
  const isUnready = async () => (await get('/readyz')).status === 503;
  await waitUntil(isUnready, PATIENCE_MS, 'the process to be unready');
  const { status, headers } = await get('/v1/status');
  expect([status, headers.has(STALE)]).toEqual([200, false]);
  expect(await rig.by(RUNNING_API_KEY, '/v1/me')).toBe(503);
});

test('each market of an API reads its own replica, while its own primary is away', async () => {
  const { service, standbys, settings } = rig;
  const market = 'market_1';
  await migrate({ url: service.url, market, corridors: ['JP-KR'] });
  await rig.untilReplayed();
  await using opened = new AsyncDisposableStack();
  const ofOther = opened.use(openDatabase(testConfig(), service.url, 'test', { market }));
  const proxies = [await startTcpProxy(service.url), await startTcpProxy(service.url)];
  for (const proxy of proxies) opened.use(proxy);
  const both = await runApiHere({
    ...settings,
    RISK_MARKETS: `market_0,${market}`,
    DATABASE_URL: proxies[0]?.url ?? '',
    DATABASE_REPLICA_URL: standbys[0]?.url ?? '',
    MARKET_1_DATABASE_URL: proxies[1]?.url ?? '',
    MARKET_1_DATABASE_REPLICA_URL: standbys[1]?.url ?? '',
    RISK_REPLICA_LAG_MS_MAX: String(LAG_MS_MAX),
    REDIS_URL: api.redisService.url,
    RISK_BOOTSTRAP_KEY: RUNNING_API_KEY,
    PORT: '0',
  });
  opened.defer(async () => {
    await both.stop();
  });
  const found = () =>
    Promise.all(
      ['market_0', market].map(async (name) => {
        const headers = { Authorization: `Bearer ${RUNNING_API_KEY}`, 'Risk-Market': name };
        const url = `${both.url}/v1/transactions?account_id=own`;
        const answer = await answerOf(await fetch(url, { headers }));
        return [answer.headers.has(STALE), answer.body.items?.length];
      }),
    );
  const until = (...expected: (readonly [boolean, number])[]) =>
    waitUntil(
      async () => JSON.stringify(await found()) === JSON.stringify(expected),
      PATIENCE_MS,
      JSON.stringify(expected),
    );
  await until([false, 0], [false, 0]);
  {
    await using _paused = await rig.pause(standbys.slice(1));
    await store('own', 0);
    const row = { createdAtMs: Date.now(), accountId: 'own', corridor: 'JP-KR', score: 1 };
    await storeTransactions(ofOther, [row]);
    for (const proxy of proxies) proxy.inflict({ kind: 'reset' });
    await until([true, 1], [true, 0]);
    proxies[0]?.heal();
    await until([false, 1], [true, 0]);
  }
  await until([false, 1], [true, 1]);
  proxies[1]?.heal();
  await until([false, 1], [false, 1]);
});
