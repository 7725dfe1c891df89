/**
 * Goal: sessions of a pool keep no state: an answer leaves them, even one of a missing table, doubt ends them, and no default of the server
 * isolates them. A full pool is known by the driver's words, which an update of the driver may change.
 */
import { beforeEach, expect, test } from 'vitest';
import { openProbe } from '../../src/kit/database/open-database.ts';
import { isPoolBusy } from '../../src/kit/database/outage.ts';
import { openPool } from '../../src/kit/database/pool.ts';
import { testConfig } from '../support/config.ts';
import { createTestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

let before: number | undefined;
const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(
  testDatabase.open({ connectionsMax: 1, statementTimeoutMs: 500 }),
);

beforeEach(async () => {
  before = await pid();
});
const pid = async () =>
  (await database.query<{ pid: number }>({ text: 'select pg_backend_pid() as pid' }))[0]?.pid;

const KINDS = {
  query: (text: string) => database.query({ text }),
  write: (text: string) => database.write({ text }),
  transaction: (text: string) => database.transaction((query) => query({ text })),
} as const;

test.each(Object.entries(KINDS))('an error in a %s leaves the session', async (_, run) => {
  await expect(run('select from market.gone')).rejects.toMatchObject({ code: 'SCHEMA_MISSING' });
  await expect(run('select 1 / 0')).rejects.toMatchObject({ code: 'POSTGRES_22012' });
  expect(await pid()).toBe(before);
});

test.each(Object.entries(KINDS))('a %s that takes too long ends the session', async (_, run) => {
  await expect(run('select pg_sleep(5)')).rejects.toMatchObject({ kind: 'unavailable' });
  expect(await pid()).not.toBe(before);
});

test.each([false, true])(
  'statements read what is committed, where pooled is %s',
  async (isPooled) => {
    await testDatabase.sql(
      `alter database ${testDatabase.name} set default_transaction_isolation = 'serializable'`,
    );
    await using own = testDatabase.open({ isPooled, namedStatements: !isPooled });
    const isolation = { text: `select current_setting('transaction_isolation') as level` };
    const committed = [{ level: 'read committed' }];
    expect(await own.query(isolation)).toEqual(committed);
    expect(await own.write(isolation)).toEqual(committed);
    expect(await own.transaction((query) => query(isolation))).toEqual(committed);
  },
);

const STATEMENT_MS = 400;
const settings = {
  text: `select current_setting('statement_timeout') as statement, current_setting('lock_timeout') as lock,
                current_setting('idle_in_transaction_session_timeout') as idle, current_setting('enable_sort') as sort`,
};

const behindProxy = await openForFile(
  testDatabase.open({
    ...{ connectionsMax: 1, namedStatements: false, statementTimeoutMs: STATEMENT_MS },
    ...{ lockTimeoutMs: 300, isPooled: true, settings: { enable_sort: 'off' } },
  }),
);

test('behind a proxy that pools transactions every kind of unit has its settings, and the connection none', async () => {
  const own = {
    ...{ statement: '400ms', lock: '300ms', idle: '800ms', sort: 'off' },
  };
  const none = { statement: '0', lock: '0', idle: '0', sort: 'on' };
  expect(await behindProxy.query(settings)).toEqual([own]);
  expect(await behindProxy.write(settings)).toEqual([own]);
  expect(await behindProxy.transaction((query) => query(settings))).toEqual([own]);
  await behindProxy.session(async (client, begin) => {
    expect((await client.query(settings.text)).rows).toEqual([none]);
    await begin('isolation level repeatable read');
    expect((await client.query(settings.text)).rows).toEqual([own]);
    await client.query('rollback');
  });
  const bare = { ...settings, outsideTransaction: true };
  expect(await behindProxy.query(bare)).toEqual([none]);
});

test('behind a proxy a statement that takes too long ends, and with it what it wrote', async () => {
  const corridors = { text: 'select count(*)::int as count from shared.corridors' };
  const before = await behindProxy.query(corridors);
  const slow = {
    text: `with written as (insert into shared.corridors (corridor) values ('XX-YY') returning 1)
           select pg_sleep(30) from written`,
  };
  await expect(behindProxy.write(slow)).rejects.toMatchObject({ kind: 'unavailable' });
  expect(await behindProxy.query(corridors)).toEqual(before);
});

test('a transaction whose work has caught the failure of a statement fails, as Postgres rolls back', async () => {
  const work = database.transaction(async (query) => {
    await query({ text: `insert into shared.corridors (corridor) values ('XX-ZZ')` });
    await query({ text: 'select 1 / 0' }).catch(() => undefined);
    return 'stored';
  });
  await expect(work).rejects.toMatchObject({ kind: 'permanent', code: 'POSTGRES_25P02' });
  const text = `select from shared.corridors where corridor = 'XX-ZZ'`;
  expect(await database.query({ text })).toEqual([]);
});

const asked = { text: 'select 1' };
const thrownBy = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  );

test('a caller for whom no connection is free in time is told that the pool is busy', async () => {
  await using database = testDatabase.open({ connectionsMax: 1, connectTimeoutMs: 200 });
  await database.query(asked);
  const thrown = await database.session(() => thrownBy(database.query(asked)));
  expect(isPoolBusy(thrown)).toBe(true);
});

test('a server that does not answer at all is unavailable, and the pool is not busy', async () => {
  await using proxy = await startTcpProxy(testDatabase.url);
  await using database = openPool({
    ...{ url: proxy.url, market: testDatabase.market, role: 'test', namedStatements: false },
    ...{ connectionsMax: 1, connectTimeoutMs: 10_000, statementTimeoutMs: 200 },
  });
  await database.query(asked);
  proxy.inflict({ kind: 'silence' });
  const thrown = await thrownBy(database.query(asked));
  expect(isPoolBusy(thrown)).toBe(false);
  expect(thrown).toMatchObject({ kind: 'unavailable' });
});

test('the proof that Postgres takes writes waits behind a single poll', async () => {
  await using probe = openProbe(testConfig(), testDatabase.url, 'test');
  const order: string[] = [];
  const asked = async (name: string, send: typeof probe.query) => {
    await send({ text: 'select' });
    order.push(name);
  };
  const within: typeof probe.query = (asked) => probe.transaction((query) => query(asked));
  const polls = [asked('first', probe.query), asked('second', within), asked('third', within)];
  await Promise.all([...polls, asked('proof', probe.prove)]);
  expect(order).toEqual(['first', 'proof', 'second', 'third']);
});

test('an outage leaves no queue of old polls', async () => {
  await using probe = openProbe(testConfig(), testDatabase.url, 'test');
  const stuck = thrownBy(probe.query({ text: 'select pg_sleep(30)' }));
  const old = thrownBy(probe.query({ text: 'select 1 as n' }));
  expect(await stuck).toMatchObject({ kind: 'unavailable' });
  expect(isPoolBusy(await old)).toBe(true);
  expect(await probe.query({ text: 'select 1 as n' })).toEqual([{ n: 1 }]);
});
