/**
 * Goal: the role of a market owns its market and reaches nothing else, and the engine works whole with that role. Method: the
 * second market of a database gets a role, which tries every table of the first one; an API and a worker run as that role.
 */
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { runApiHere } from '../../../support/api-here.ts';
import { createTestDatabase, type TestDatabase } from '../../../support/database.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { startTestRedis, type TestService } from '../../../support/services.ts';
import { askPostgres } from '../../../support/standby.ts';
import { storeTransactions } from '../../../support/stored-rows.ts';
import { answerOf, input, labelInput } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { startWorkerHere } from '../../../support/worker-rig.ts';

const OTHER = 'market_1';
const KEY = 'markets-test-key-of-at-least-32-characters';
/** Roles belong to the server, which other test files share. */
const ROLE = `risk_1_${randomUUID().replaceAll('-', '')}`;
const READER = ROLE.replace('_1_', '_reader_');
const AUDITOR = ROLE.replace('_1_', '_auditor_');

let database: TestDatabase;
let redis: TestService;
let readerPassword: string;
/** A connection as the role of the second market. */
let client: pg.Client;
/** The connection that `refusal` tries. */
let trying: pg.Client;
let roleUrl: string;
let first: { readonly moved: number; readonly password: string };

async function risk(args: readonly string[], environment: Record<string, string> = {}) {
  const ran = await runRisk([...args, '--json'], { DATABASE_URL: database.url, ...environment });
  expect(ran.stderr).not.toContain('bug');
  return { ...ran, value: ran.code === 0 ? JSON.parse(ran.stdout) : undefined };
}
const grant = () => risk(['markets', 'grant', OTHER, '--role', ROLE]);

beforeAll(async () => {
  [database, redis] = [await createTestDatabase(), await startTestRedis()];
  const created = await risk(['markets', 'create', OTHER, '--corridors', 'JP-KR']);
  expect(created.code).toBe(0);
  first = (await grant()).value;
  const url = new URL(database.url);
  [url.username, url.password] = [ROLE, first.password];
  roleUrl = url.href;
  client = new pg.Client(roleUrl);
  await client.connect();
  trying = client;
});
afterAll(async () => {
  await client.end();
  await redis[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await askPostgres(inject('postgresUrl'), `drop role if exists ${ROLE}, ${READER}, ${AUDITOR}`);
});

/** SQLSTATE of what Postgres answers; undefined where it carries the statement out. */
const refusal = (text: string) =>
  trying.query(text).then(
    () => undefined,
    (error: pg.DatabaseError) => error.code,
  );
/** Runs `work` with `refusal` trying as a role. */
async function as(role: string, password: string, work: (own: pg.Client) => Promise<void>) {
  const url = new URL(database.url);
  [url.username, url.password] = [role, password];
  trying = new pg.Client(url.href);
  await trying.connect();
  try {
    await work(trying);
  } finally {
    await trying.end();
    trying = client;
  }
}

/** Rows of each table, as a caller sees them. */
async function countRows(
  names: readonly string[],
  query: (text: string) => Promise<{ count: string }[]>,
): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const name of names) {
    const [row] = await query(`select count(*) from ${name}`);
    counts.set(name, Number(row?.count));
  }
  return counts;
}

const DENIED = '42501';
/** Denied, or a view that takes no rows. */
const REFUSED: readonly unknown[] = [DENIED, '42809', '55000'];

/** Tries whatever is no select on each table and view of the schemas, and a select where one is not allowed. */
async function tryTables(schemas: readonly string[], selectable: string): Promise<string[]> {
  const tables = await database.sql<{ name: string; schema: string; column: string }>(
    `select format('%I.%I', nspname, relname) as name, nspname as schema,
            (select quote_ident(attname) from pg_attribute where attrelid = c.oid and attnum > 0
              and attidentity = '' and attgenerated = '' order by attnum limit 1) as column
       from pg_class c join pg_namespace n on n.oid = relnamespace
      where relkind in ('r', 'p', 'v', 'm', 'S') and nspname = any ($1)`,
    [schemas],
  );
  expect(tables.length).toBeGreaterThan(60);
  const got: string[] = [];
  for (const { name, schema, column } of tables) {
    const tries = [
      `insert into ${name} default values`,
      `update ${name} set ${column} = ${column}`,
      `delete from ${name}`,
      `truncate ${name}`,
      `alter table ${name} owner to current_user`,
      ...(schema === selectable ? [] : [`select from ${name}`]),
    ];
    for (const text of tries) if (!REFUSED.includes(await refusal(text))) got.push(text);
  }
  return got;
}

test('the role is refused every table and function of the other market, and every write to shared', async () => {
  expect(await tryTables(['market_0', 'shared'], 'shared')).toEqual([]);
  const functions = await database.sql<{ name: string; given: string }>(
    `select pronamespace::regnamespace || '.' || quote_ident(proname) as name,
            (select coalesce(string_agg('null::' || format_type(one, null), ', '), '') from unnest(proargtypes) as one) as given
       from pg_proc where pronamespace = 'market_0'::regnamespace or (prosecdef and proname <> 'claim_corridor')`,
  );
  expect(functions.length).toBeGreaterThan(10);
  for (const { name, given } of functions)
    expect([name, await refusal(`select ${name}(${given})`)]).toEqual([name, DENIED]);
  expect(await refusal('create schema market_2')).toBe(DENIED);
  expect(await refusal('create table shared.mine ()')).toBe(DENIED);
  expect(await refusal(`set role ${new URL(database.url).username}`)).toBe(DENIED);
});

test('the role claims a corridor that no market has, for its own market alone', async () => {
  const claim = async (corridor: string, market: string) => {
    const text = 'select shared.claim_corridor($1, $2) as market';
    const { rows } = await client.query<{ market: string }>(text, [corridor, market]);
    return rows[0]?.market;
  };
  expect(await claim('KR-JP', OTHER)).toBe(OTHER);
  expect(await claim('US-EG', OTHER)).toBe('market_0');
  await expect(claim('KR-KR', 'market_0')).rejects.toThrow('does not own the market market_0');
  expect(await database.sql(`select corridor from ${OTHER}.corridors order by corridor`)).toEqual([
    { corridor: 'JP-KR' },
    { corridor: 'KR-JP' },
  ]);
});

test('an API and a worker accept, score and read as the role, and make months', async () => {
  const environment = {
    DATABASE_URL: roleUrl,
    REDIS_URL: redis.url,
    RISK_MARKET: OTHER,
    // An API and a worker open twenty connections at once, which takes a crowded machine longer than 1.5 s.
    RISK_CONNECT_TIMEOUT_MS: '60000',
  };
  await using stack = new AsyncDisposableStack();
  const api = await runApiHere({ ...environment, RISK_BOOTSTRAP_KEY: KEY, PORT: '0' });
  stack.defer(async () => void (await api.stop()));
  stack.use(startWorkerHere(environment, {}));
  const ask = async (path: string, method = 'GET', body?: object) => {
    const headers = { Authorization: `Bearer ${KEY}`, 'Content-Type': 'application/json' };
    const init = { method, headers, ...(body && { body: JSON.stringify(body) }) };
    return await answerOf(await fetch(`${api.url}${path}`, init));
  };
  const sent = input({ corridor: 'JP-KR', created_at: '2003-05-01T00:00:00Z' });
  const posted = await ask('/v1/transactions', 'POST', sent);
  expect(posted.status, api.log()).toBe(201);
  const id = posted.body.transaction_id;
  await waitUntil(async () => (await ask(`/v1/scores/${id}`)).status === 200, 10_000, 'a score');
  const labelled = await ask('/v1/labels', 'POST', {
    labels: [labelInput({ transaction_id: id })],
  });
  expect(labelled.status, api.log()).toBe(200);
  const limits = await ask('/v1/controls?scope=market');
  expect(limits.body.items).toMatchObject([
    { kind: 'limit-inference', value: { rate_per_second: 100, burst: 200 } },
    { kind: 'limit-requests', value: { rate_per_second: 500, burst: 1000 } },
  ]);
  const stop = { in_force: true, reason: 'a test' };
  expect((await ask('/v1/controls/stop/market', 'PUT', stop)).status).toBe(200);
  const all = await ask('/v1/controls/stop/all', 'PUT', stop);
  expect([all.status, all.body.detail]).toEqual([
    409,
    'Another role has market_0: change the scope market at an API of each market.',
  ]);
  expect(api.log()).not.toContain('permission denied');
});

test('a role reads scores of both markets through a view, and nothing else', async () => {
  const made = await risk(['markets', 'analytics', 'market_0', OTHER, '--role', READER]);
  expect(made.value).toMatchObject({
    role: READER,
    markets: ['market_0', OTHER],
    is_logged: false,
  });
  readerPassword = made.value.password;
  await as(READER, readerPassword, async (own) => {
    const { rows } = await own.query('select market, corridor, reason_codes from analytics.scores');
    expect(rows).toEqual([{ market: OTHER, corridor: 'JP-KR', reason_codes: expect.any(Array) }]);
    const readOnly = await refusal('create temporary table mine ()');
    expect(readOnly).toBe('25006');
    await own.query('set default_transaction_read_only = off');
    expect(await tryTables(['market_0', OTHER, 'shared', 'analytics'], 'analytics')).toEqual([]);
  });
  for (const market of ['market_0', OTHER]) {
    const text = `select after from ${market}.audit_log where action = 'market.analytics' and subject = $1`;
    expect(await database.sql(text, [READER])).toEqual([
      { after: { markets: ['market_0', OTHER] } },
    ]);
  }
});

test('an auditor reads every row of its market but secrets, and writes nothing', async () => {
  {
    await using pool = database.open({ market: OTHER });
    await storeTransactions(pool, [
      { createdAtMs: Date.UTC(2004, 5), corridor: 'JP-KR', score: 1 },
    ]);
  }
  const args = ['markets', 'auditor', OTHER, '--role', AUDITOR];
  const { value } = await risk(args);
  expect(value).toMatchObject({ role: AUDITOR, market: OTHER });
  expect((await risk(args)).value).toMatchObject({ password: null });
  const tables = await database.sql<{ name: string }>(
    `select oid::regclass::text as name from pg_class
      where relnamespace = '${OTHER}'::regnamespace and relkind in ('r', 'p') and not relispartition`,
  );
  const names = tables.map(({ name }) => name);
  await as(AUDITOR, value.password, async (own) => {
    const seen = await countRows(names, async (text) => (await own.query(text)).rows);
    expect(seen).toEqual(await countRows(names, (text) => database.sql(text)));
    expect(seen.get(`${OTHER}.audit_log`)).toBeGreaterThan(1);
    expect(seen.get(`${OTHER}.scores`)).toBeGreaterThan(0);
    for (const secret of [
      'key_hash from market_1.api_keys',
      'token_hash from market_1.sessions',
      'token_hash from market_1.login_links',
      'market_key from market_1.personal_state',
      'subject_key from market_1.subjects',
      'secret from market_1.webhook_endpoints',
      'previous_secret from market_1.webhook_endpoints',
    ])
      expect([secret, await refusal(`select ${secret}`)]).toEqual([secret, DENIED]);
    expect(await refusal('create temporary table mine ()')).toBe('25006');
    await own.query('set default_transaction_read_only = off');
    expect(await tryTables(['market_0'], 'none')).toEqual([]);
    expect(await tryTables([OTHER, 'shared'], OTHER)).toEqual([]);
  });
  const audited = `select after from ${OTHER}.audit_log where action = 'market.auditor' and subject = $1`;
  expect(await database.sql(audited, [AUDITOR])).toEqual(
    Array.from({ length: 2 }, () => ({ after: { market: OTHER } })),
  );
});

test('a role that was granted a market by mistake sees no row of it, and its owner every row', async () => {
  const everywhere = ['market_0', OTHER];
  const open = await database.sql<{ name: string }>(
    `select oid::regclass::text as name from pg_class
      where relnamespace::regnamespace::text = any ($1) and relkind in ('r', 'p') and not relrowsecurity`,
    [everywhere],
  );
  expect(open, 'a migration enables row level security on each table it makes').toEqual([]);
  const months = await database.sql<{ name: string }>(
    'select inhrelid::regclass::text as name from pg_inherits where inhparent = $1::regclass',
    [`${OTHER}.scores`],
  );
  const tables = ['scores', 'audit_log', 'schema_migrations'].map((name) => `${OTHER}.${name}`);
  const names = [...tables, ...months.map(({ name }) => name)];
  await database.sql(`grant usage on schema ${OTHER} to ${READER}`);
  await database.sql(`grant select on all tables in schema ${OTHER} to ${READER}`);
  await as(READER, readerPassword, async (own) => {
    const seen = await countRows(names, async (text) => (await own.query(text)).rows);
    expect([...seen.values()].filter((count) => count > 0)).toEqual([]);
  });
  const stored = await countRows(names, (text) => database.sql(text));
  expect(names.slice(0, tables.length).filter((name) => stored.get(name) === 0)).toEqual([]);
  expect(months.map(({ name }) => stored.get(name))).toContain(1);
});
