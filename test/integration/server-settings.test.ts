/**
 * Goal: no setting of the server, the database or the role changes what the engine reads and writes, or ends work that is long.
 * Method: an API, commands and pools on databases whose sessions begin with settings that others use.
 */
import { expect, test } from 'vitest';
import { unsealed } from '../../bench/support/unsealed.ts';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { alone, connected } from '../../src/kit/database/migrations/migration-session.ts';
import { inSnapshot } from '../../src/kit/database/snapshot.ts';
import { createTestDatabase } from '../support/database.ts';
import { timeIn } from '../support/months-rig.ts';
import { openForFile } from '../support/open-for-file.ts';
import { insertPersonKey } from '../support/people.ts';
import { limitScope } from '../support/rooms/corridors/requests.ts';
import { startReceiver, status } from '../support/rooms/webhooks/receiver.ts';
import { ANN, openWebhooks, startSender } from '../support/rooms/webhooks/rig.ts';
import { runRisk } from '../support/run-risk.ts';
import { openRunningApi } from '../support/running-api.ts';
import { askPostgres, superuserUrl } from '../support/standby.ts';
import { storeScoresOf } from '../support/stored-rows.ts';
import { input, postOne, send } from '../support/submit.ts';
import { folderOfFile } from '../support/temporary-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

/** Settings that the engine sends, by the name under which Postgres lists it, and a value that others set. */
const SENT = {
  array_nulls: ['on', 'off'],
  bytea_output: ['hex', 'escape'],
  DateStyle: ['ISO, MDY', 'German'],
  default_transaction_isolation: ['read committed', 'serializable'],
  exit_on_error: ['off', 'on'],
  extra_float_digits: ['1', '-10'],
  IntervalStyle: ['postgres', 'sql_standard'],
  plan_cache_mode: ['auto', 'force_generic_plan'],
  quote_all_identifiers: ['off', 'on'],
  row_security: ['on', 'off'],
  standard_conforming_strings: ['on', 'off'],
  TimeZone: ['UTC', 'Asia/Kathmandu'],
  transform_null_equals: ['off', 'on'],
} as const;
const NAMES = [...Object.keys(SENT), 'search_path'];
const OWN = Object.fromEntries(Object.entries(SENT).map(([name, [own]]) => [name, own]));
const FOREIGN = Object.fromEntries(Object.entries(SENT).map(([name, [, other]]) => [name, other]));

const api = await openRunningApi({}, FOREIGN);
const { name: databaseName, sql, url, market } = api.testDatabase;
const folder = folderOfFile();
await openForFile(unsealed(folder));

// Functions and a type of another program stand before those of Postgres.
await sql(`create schema impostor;
  create domain impostor.date as pg_catalog.timestamp;
  create function impostor.now() returns timestamptz language sql as $$ select timestamptz '2000-01-01' $$;
  alter database ${databaseName} set search_path = impostor, pg_catalog`);

test('a payment is stored and read', async () => {
  const { status: stored, body } = await postOne(api, input());
  expect([stored, body.status]).toEqual([201, 'accepted']);
  const read = await send(api, 'GET', `/v1/transactions/${body.transaction_id}`);
  expect(read.body).toMatchObject({ received_at: expect.stringMatching(/^2\d{3}-.*Z$/) });
});

test('a key of an hour makes no key without end', async () => {
  const key = await insertPersonKey(api.testDatabase, 'Ann', ['admin', 'risk_officer']);
  await sql(`update api_keys set expires_at = now() + interval '1 hour' where identity = 'Ann'`);
  const wished = { roles: ['risk_officer'], identity: 'Ann' };
  const { status: made, body } = await send(api, 'POST', '/v1/keys', wished, key);
  expect([made, body.confirmed_at]).toEqual([201, null]);
});

test('a failed attempt of a webhook is counted', async () => {
  await using receiver = await startReceiver();
  receiver.answer(status(500));
  const webhooks = openWebhooks(api.database);
  const { webhook_id: id } = await webhooks.make(receiver.url);
  await webhooks.sendTest(id, ANN);
  await using _sender = startSender(api.database);
  const attempts = async () => (await webhooks.listDeliveries(id, { limit: 1 }))[0]?.attempts;
  await waitUntil(async () => (await attempts()) === 1, 10_000, 'an attempt that counts');
});

test('a limit with an end is read', async () => {
  const ends_at = new Date(Date.now() + 3_600_000).toISOString();
  const rate = { rate_per_second: 0.01, burst: 1, ends_at };
  await limitScope(api, 'throttle', 'corridor:US-PH', rate);
  const posted = [1, 2].map(() => postOne(api, input({ corridor: 'US-PH' })));
  const statuses = (await Promise.all(posted)).map((answer) => answer.status);
  expect(statuses.sort()).toEqual([201, 429]);
});

test('a month that is archived and restored is the same to the last bit', async () => {
  const month = '2013-03';
  const posted = [0, 1, 2].map(() => postOne(api, input({ created_at: timeIn(month) })));
  const ids = (await Promise.all(posted)).map(({ body }) => String(body.transaction_id));
  await storeScoresOf(api.database, ids);
  await sql('update scores_y2013m03 set risk = 1::float8 / 3, probability = 0.1::float8 + 0.2');
  const bits = () =>
    sql(
      `select transaction_id, float8send(risk), float8send(probability), extract(epoch from scored_at) as at
         from scores_y2013m03 order by transaction_id`,
    );
  const before = await bits();
  const place = ['--to', folder, '--unencrypted'];
  const archived = await runRisk(['archive', 'month', month, ...place], { DATABASE_URL: url });
  expect(archived).toMatchObject({ code: 0 });
  const restored = await runRisk(['archive', 'restore', month], { DATABASE_URL: url });
  expect(restored).toMatchObject({ code: 0 });
  expect(await bits()).toEqual(before);
});

type Setting = { readonly name: string; readonly setting: string };
const listed = { text: 'select name, setting from pg_settings where name = any ($1::text[])' };
const byName = (rows: readonly Setting[]) =>
  Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));

test.each([false, true])(
  'every setting that texts and parsers rely on is sent, where pooled is %s',
  async (isPooled) => {
    // Behind a pooler each begin names the isolation.
    const own = { ...OWN, ...(isPooled && { default_transaction_isolation: 'serializable' }) };
    await using pool = api.testDatabase.open({ isPooled, namedStatements: !isPooled });
    const inPool = byName(await pool.query<Setting>(listed, [NAMES]));
    expect(inPool).toEqual({ ...own, search_path: 'pg_catalog' });
    const session = { url, market, isPooled };
    const rows = await connected(session, (client) =>
      alone(client, session, 'a test', () => client.query<Setting>(listed.text, [NAMES])),
    );
    expect(byName(rows.rows)).toEqual({ ...own, search_path: `${market}, shared, public` });
  },
);

test('Postgres ends the session of a host that is gone after 90 s', async () => {
  await using own = api.testDatabase.open({ connectionsMax: 1 });
  const text = `select string_agg(setting, ' ' order by name) as bounds from pg_settings where name ~ '^tcp_'`;
  // Probes, the wait for the first, the wait between them, and milliseconds for an answer.
  expect(await own.query({ text })).toEqual([{ bounds: '3 60 10 90000' }]);
});

test('a time that the driver cannot read is an error, and is not null', async () => {
  await using pooled = api.testDatabase.open({ isPooled: true, namedStatements: false });
  const read = async (at: string) =>
    await pooled.query({ text: `select ${at} as at`, outsideTransaction: true });
  const unread = { code: 'TIME_UNREADABLE', kind: 'unavailable' };
  for (const at of ['clock_timestamp()', `timestamp '2026-01-02'`, `pg_catalog.date '2026-01-02'`])
    await expect(read(at)).rejects.toMatchObject(unread);
  await using own = api.testDatabase.open({ connectionsMax: 1 });
  const far = own.query({ text: `select timestamptz '290000-01-01' as at` });
  await expect(far).rejects.toMatchObject(unread);
  expect(await read('null::timestamptz')).toEqual([{ at: null }]);
});

test('a database whose sessions end early is migrated, and its long work goes on', async () => {
  const settings = {
    idle_in_transaction_session_timeout: '1ms',
    idle_session_timeout: '100ms',
    lock_timeout: '1ms',
    statement_timeout: '1ms',
  };
  await using database = await createTestDatabase({ migrated: false, settings });
  const session = { url: database.url, market: database.market };
  await migrate({ ...session, corridors: [] });
  await using own = database.open({ connectionsMax: 1 });
  await own.query({
    text: `do $$ begin if current_setting('transaction_timeout', true) is not null then
             alter database ${database.name} set transaction_timeout = '100ms'; end if; end $$`,
  });
  await using later = database.open({ connectionsMax: 1 });
  const lasting = { text: 'select pg_backend_pid() as pid from pg_sleep(0.3)' };
  const [first] = await later.query<{ pid: number }>(lasting);
  const [second] = await inSnapshot(later, async (query) => {
    await query(lasting);
    return await query<{ pid: number }>(lasting);
  });
  expect(second).toEqual(first);
});

test('a database whose sessions fire no triggers is refused by name, or set right', async () => {
  await using other = await createTestDatabase({ migrated: false });
  const { url: own, name } = other;
  const superuser = superuserUrl(own);
  const off = `alter database ${name} set session_replication_role = 'replica'`;
  await askPostgres(superuser, off);
  const refused = await runRisk(['migrate'], { DATABASE_URL: own });
  expect(refused).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('session_replication_role'),
  });
  const shown = await connected({ url: superuser, market }, async (client) => {
    const { rows } = await client.query('show session_replication_role');
    return rows;
  });
  expect(shown).toEqual([{ session_replication_role: 'origin' }]);
});

test.each(['idle_in_transaction_session_timeout', 'transaction_timeout'])(
  'a session that %s has ended says so',
  async (name) => {
    // Postgres has transaction_timeout from 17 on.
    if ((await sql('select from pg_settings where name = $1', [name])).length === 0) return;
    await using own = api.testDatabase.open({ connectionsMax: 1 });
    const ended = own.transaction(async (query) => {
      const [mine] = await query<{ pid: number }>({ text: 'select pg_backend_pid() as pid' });
      await query({ text: `set local ${name} = '50ms'` });
      const isGone = async () =>
        (await sql('select from pg_stat_activity where pid = $1', [mine?.pid])).length === 0;
      await waitUntil(isGone, 10_000, 'the session to be ended');
      await query({ text: 'select 1' });
    });
    await expect(ended).rejects.toMatchObject({
      code: 'POSTGRES_UNAVAILABLE',
      message: expect.stringContaining(`(${name})`),
    });
  },
);

test('a parameter of the URL does not replace what a pool sends', async () => {
  const given = new URL(url);
  given.searchParams.set('application_name', 'payments');
  given.searchParams.set('options', '-c statement_timeout=1');
  await using own = api.testDatabase.open({ url: given.href });
  const text = `select current_setting('application_name') as name, current_setting('statement_timeout') as deadline`;
  expect(await own.query({ text })).toEqual([{ name: 'risk-test', deadline: '20s' }]);
});
