/**
 * Goal: a market with a history takes tokens, is killed meanwhile and goes on, has no clear value afterwards in any table or
 * key, and scores as before, bit for bit. Method: two markets get the same payments; one is migrated, then both get the same again.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSealer } from '../../../../src/rooms/evidence/seal/sealer.ts';
import {
  CACHES,
  DOCUMENTS,
  HASHES,
  METADATA,
  VALUES,
} from '../../../../src/rooms/privacy/catalogue.ts';
import { silentLog } from '../../../support/config.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { spawnRisk } from '../../../support/risk.ts';
import { makeKeys } from '../../../support/rooms/evidence/rig.ts';
import { dumpKeys, dumpTables, findIn } from '../../../support/rooms/privacy/canaries.ts';
import {
  ACCOUNTS,
  CANARIES,
  CONTROL,
  fillTables,
  payments,
  sendScored,
} from '../../../support/rooms/privacy/history.ts';
import { makePrivacyFolder, type PrivacyFolder } from '../../../support/rooms/privacy/settings.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { type RunningApi, startRunningApi } from '../../../support/running-api.ts';
import { answerOf, count, postBatch, postOne } from '../../../support/submit.ts';
import type { RunningWorker } from '../../../support/worker-rig.ts';

const FIELDS = ['account_id', 'device_id', 'ip', 'metadata.contacts.email', 'metadata.home'];
const PATIENT = { RISK_STATEMENT_TIMEOUT_MS: '20000' };
const BEFORE = 60;
const AFTER = 100;

let folder: PrivacyFolder;
let api: RunningApi;
let twin: RunningApi;
let workers: RunningWorker[] = [];
let officer = '';

beforeAll(async () => {
  folder = await makePrivacyFolder();
  api = await startRunningApi({ ...folder.settings, ...PATIENT });
  twin = await startRunningApi(PATIENT);
  workers = [api.startWorker(PATIENT), twin.startWorker(PATIENT)];
  for (const one of [api, twin]) {
    const key = await insertPersonKey(one.testDatabase, 'Ann', ['risk_officer', 'admin']);
    await fillTables(one, key, await sendScored(one, payments(0, BEFORE)));
    if (one === api) officer = key;
  }
});
afterAll(async () => {
  for (const worker of workers) await worker.stop();
  await api[Symbol.asyncDispose]();
  await twin[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const environment = () => ({
  DATABASE_URL: api.testDatabase.url,
  REDIS_URL: api.redisService.url,
  ...folder.settings,
});
const migrate = (...args: string[]) => runRisk(['privacy', 'migrate', ...args], environment());
const asOfficer = async (method: string, path: string, body?: object) =>
  await api.request(path, {
    method,
    ...(body && { body: JSON.stringify(body) }),
    headers: { Authorization: `Bearer ${officer}`, 'Content-Type': 'application/json' },
  });

test('the catalogue has every column with a personal value', async () => {
  const { sql } = api.testDatabase;
  const columns = await sql<{ table: string; column: string; isBytes: boolean }>(
    `select coalesce(parent.relname, c.relname) as table, a.attname as column, a.atttypid = 'bytea'::regtype as "isBytes",
            c.relname as leaf
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
       left join pg_inherits i on i.inhrelid = c.oid left join pg_class parent on parent.oid = i.inhparent
      where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'`,
  );
  const found = new Set<string>();
  for (const { table, column, isBytes } of columns) {
    const text = isBytes ? `encode("${column}", 'escape')` : `"${column}"::text`;
    const rows = await sql<{ text: string }>(
      `select ${text} as text from "${table}" where "${column}" is not null`,
    );
    if (findIn(rows.map((row) => row.text).join('\n'), CANARIES).length > 0)
      found.add(`${table}.${column}`);
  }
  const places = [
    ...[...VALUES, ...METADATA].map(({ table, column }) => `${table}.${column}`),
    ...DOCUMENTS.flatMap(({ table, documents, quotes = [] }) =>
      [...Object.keys(documents), ...quotes].map((column) => `${table}.${column}`),
    ),
  ];
  const unlisted = [...found].filter(
    (one) => !places.includes(one) && !CACHES.some((cache) => one.startsWith(`${cache}.`)),
  );
  expect(unlisted).toEqual([]);
  // No error of a delivery quotes a value here, and fingerprints do not show one.
  const unseen = places.filter((one) => !found.has(one));
  expect(unseen).toEqual(['webhook_deliveries.error']);
  expect(HASHES.map(({ table }) => table)).toContain('idempotency_keys');
});

test('all that stands against a migration is named at once, and the market stays open', async () => {
  const hash = 'a'.repeat(64);
  await asOfficer('POST', '/v1/lists', {
    name: 'hashed',
    effect: 'watch',
    kind: 'hash',
    description: 'x',
  });
  const entry = await answerOf(
    await asOfficer('POST', '/v1/lists/hashed/entries', { value: hash, reason: 'x' }),
  );
  await asOfficer('PUT', '/v1/metadata-fields/contacts', { type: 'text', description: 'x' });
  const refused = await migrate(...FIELDS, '--reason', 'x');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/list hashed has hashes.*rules may read metadata\.contacts/s);
  expect((await migrate()).stderr).toMatch(/no migration is under way/);
  expect((await migrate('merchant_id', '--reason', 'x')).code).toBe(2);
  expect(await count(api, 'personal_migrations')).toBe(0);
  await asOfficer('DELETE', `/v1/lists/hashed/entries/${entry.body.entry_id}`);
  await asOfficer('DELETE', '/v1/metadata-fields/contacts');
});

test('a killed migration keeps the market closed and goes on where it was', async () => {
  await using killed = spawnRisk(['privacy', 'migrate', ...FIELDS, '--reason', 'project 7'], {
    ...environment(),
    RISK_TEST_FAILPOINT: 'privacy-step:6',
  });
  const { signal } = await killed.exited;
  expect([signal, killed.stderr()]).toEqual(['SIGKILL', expect.any(String)]);
  const [payment = {}] = payments(BEFORE, BEFORE + 1);
  const refused = await postOne(api, payment);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
  const direct = api.testDatabase.sql(
    `insert into transactions select * from transactions limit 1`,
  );
  await expect(direct).rejects.toThrow(/takes no transactions/);
  expect((await api.request('/v1/transactions?limit=1')).status).toBe(200);
  expect((await migrate('--cancel')).stderr).toMatch(/rewritten already/);
  expect((await migrate('ip', '--reason', 'x')).stderr).toMatch(/migration of account_id/);
  // A log of evidence would have leaves over clear ids.
  const sealer = createSealer({
    database: api.database,
    origin: 'risk.example.com/migrated',
    keys: makeKeys(),
    path: `${folder.ledger}-checkpoints`,
    checkpointMs: 0,
    log: silentLog(),
  });
  expect(await sealer.run(Date.now())).toMatchObject({ isRefused: false, mayHaveMore: false });
  expect(await count(api, 'evidence_logs')).toBe(0);
  // A month that has left meanwhile has not been rewritten, and its rows would come back.
  const months = (...args: string[]) => runRisk(['partitions', ...args], environment());
  await months('create', '--from', '2026-05', '--to', '2026-05');
  expect((await months('detach', '2026-05')).code).toBe(0);
  expect((await migrate()).stderr).toMatch(/2026-05 is cold or detached/);
  expect((await months('attach', '2026-05')).code).toBe(0);
  // The bound on passes is of each run: no number of deaths keeps the market closed.
  await api.testDatabase.sql(
    `update personal_migrations set progress = jsonb_set(progress, '{pass}', '10')`,
  );
  const done = await migrate();
  expect([done.code, done.stdout]).toEqual([
    0,
    expect.stringMatching(/rows=\d{3,} subjects=10 redis_keys=\d+/),
  ]);
  expect(await count(api, 'personal_values')).toBe(0);
});

test('no table and no key has a clear value, and what was verified before still agrees', async () => {
  const kept = { tables: await dumpTables(api.testDatabase), redis: await dumpKeys(api.redis) };
  expect(findIn(kept.tables, [CONTROL])).toEqual([CONTROL]);
  for (const [where, text] of Object.entries(kept))
    expect([where, findIn(text, CANARIES)]).toEqual([where, []]);
  const scores = await runRisk(['verify', 'scores'], environment());
  expect([scores.code, scores.stdout]).toEqual([
    0,
    expect.stringContaining(`verified=${BEFORE} different=0`),
  ]);
  expect((await runRisk(['verify', 'tallies'], environment())).code).toBe(0);
  const guarded = { audit_log: 'who', final_decisions: 'reason', legal_holds: 'reason' };
  for (const [table, column] of Object.entries(guarded)) {
    const change = api.testDatabase.sql(`update ${table} set ${column} = 'other'`);
    await expect(change).rejects.toThrow(/change|append/);
  }
  await expect(api.testDatabase.sql(`update transactions set account_id = 'x'`)).rejects.toThrow(
    /personal_account_id/,
  );
});

test('the same payments get the same vectors and scores, and old keys are duplicates', async () => {
  const repeated = payments(0, 2);
  const again = await postBatch(api, repeated);
  expect(again.body.results.map((one: { status: string }) => one.status)).toEqual([
    'duplicate',
    'duplicate',
  ]);
  const other = await postOne(api, { ...repeated[0], amount: '1.00' });
  expect([other.status, other.body.errors[0].detail]).toEqual([
    422,
    expect.stringContaining('amount differs'),
  ]);
  expect((await postOne(api, repeated[1] ?? {})).body.status).toBe('duplicate');
  for (const one of [api, twin]) {
    const ids = await sendScored(one, payments(BEFORE, AFTER));
    expect(ids).toHaveLength(AFTER - BEFORE);
  }
  const read = (one: RunningApi) =>
    one.testDatabase.sql<{ amount: string }>(
      `select t.amount::text, encode(s.features, 'hex') as vector, s.score, s.risk, s.verdict, s.reasons
         from transactions t join scores s using (transaction_id, created_at) order by t.created_at`,
    );
  const homes = await api.testDatabase.sql(
    `select distinct metadata ->> 'home' as token from transactions`,
  );
  expect(homes).toEqual([{ token: expect.stringMatching(/^tok_/) }]);
  const [ours, theirs] = [await read(api), await read(twin)];
  expect(ours).toHaveLength(AFTER);
  expect(ours).toEqual(theirs);
  const asked = encodeURIComponent(ACCOUNTS[0] ?? '');
  const found = await answerOf(await api.request(`/v1/transactions?account_id=${asked}`));
  expect(found.body.items.length).toBeGreaterThan(30);
});
