/**
 * Goal: every table has a stated retention, and removal by age never takes rows that a guarantee needs. Method:
 * the catalogue against the list of retentions; old and young rows beside each other, and the duty.
 */
import { expect, test } from 'vitest';
import { isMarketOnHold } from '../../src/core/store/partitions/legal-holds.ts';
import { readConfig } from '../../src/kit/config/config.ts';
import { inMarket } from '../../src/kit/database/market-schema.ts';
import { createLeadership } from '../../src/kit/duties/leadership.ts';
import { bindPurge, PURGE_STEP_ROWS_MAX } from '../../src/kit/duties/purge.ts';
import { createMetrics } from '../../src/kit/metrics/metrics.ts';
import { RETENTIONS } from '../../src/main/rooms.ts';
import { openTestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';
import { openCasesOf } from '../support/rooms/review/cases.ts';
import { idAt, storeDeadLetters, storeTransactions } from '../support/stored-rows.ts';

const { signal } = new AbortController();
const DAY_MS = 86_400_000;
/** More rows than one step, and not a whole number of steps. */
const MANY = 2 * PURGE_STEP_ROWS_MAX + 1;

const { testDatabase, database } = await openTestDatabase();
const read = readConfig({
  RISK_DEAD_LETTER_RETENTION_DAYS: '10',
  RISK_WATCH_RETENTION_DAYS: '5',
});
if ('problems' in read) throw new Error(read.problems.join());
const config = read.config;
const leadership = await openForFile(createLeadership(database, 'test'));

const PURGES = RETENTIONS.flatMap(({ purges = [] }) => purges);
const sql = async <Row extends object>(text: string, values: readonly unknown[] = []) =>
  await testDatabase.sql<Row>(text, values);
const count = async (table: string) => (await sql(`select from ${table}`)).length;
/** Runs the duty; resolves to how many rows of a table it reports as removed. */
async function purge(table: string): Promise<number> {
  const metrics = createMetrics();
  await bindPurge(config, leadership, metrics, RETENTIONS, isMarketOnHold).run(signal);
  const { values } = await metrics.rowsPurged.get();
  return values.find(({ labels }) => labels.table === table)?.value ?? 0;
}

test('every table has a retention, or a reason why not', async () => {
  const tables = await sql<{ name: string }>(
    `select relname as name from pg_class
      where relnamespace in ('${testDatabase.market}'::regnamespace, 'shared'::regnamespace)
        and relkind in ('r', 'p') and not relispartition order by 1`,
  );
  const named = RETENTIONS.flatMap(({ tables: names }) => names).sort();
  expect(named).toEqual(tables.map(({ name }) => name).sort());
  expect(named.filter((name, at) => named.indexOf(name) !== at)).toEqual([]);
  for (const { table } of PURGES) expect(named).toContain(table);
});

test('what ends by itself is found by an index', async () => {
  for (const { table, statement } of PURGES) {
    const parameters = statement.text.match(/\$\d/g)?.length ?? 0;
    const values = [90, new Date(0), idAt(0), new Date(0), new Date()].slice(0, parameters);
    const plan = await database.session(async (client) => {
      await client.query('begin; set local enable_seqscan = off');
      const { rows } = await client.query<{ 'QUERY PLAN': string }>(
        `explain ${inMarket(statement.text, testDatabase.market)}`,
        values,
      );
      await client.query('rollback');
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    });
    expect(plan).not.toContain(`Seq Scan on ${table}`);
    expect(plan).toMatch(/Index (Only )?Scan/);
  }
});

test('reports, opinions of shadows and checks of models end by age, however many', async () => {
  await sql(
    `insert into watch_reports
     select now() - d.days * interval '1 day' - n * interval '1 ms', 'm@1', '{}'
       from (values (4, 3), (6, $1::integer)) d (days, rows), generate_series(1, d.rows) n`,
    [MANY],
  );
  await sql(
    `insert into shadow_batches
     select 'm', now() - d.days * interval '1 day', '{}', '{}'
       from (values (29, 4), (31, $1::integer)) d (days, rows), generate_series(1, d.rows)`,
    [MANY],
  );
  expect(await purge('watch_reports')).toBe(MANY);
  expect(await count('watch_reports')).toBe(3);
  expect(await count('shadow_batches')).toBe(4);
  expect(await purge('shadow_batches')).toBe(0);
});

test('closed cases and deliveries end by age, and open cases stay', async () => {
  const [open = '', young = '', old = ''] = await openCasesOf(testDatabase, database, [{}, {}, {}]);
  for (const [id, days] of [
    [young, 729],
    [old, 731],
  ])
    await sql(
      `update review_cases set state = 'closed', disposition = 'legitimate', decision_reason = 'seen', decided_by = 'Ann',
              decided_at = now(), final_at = now(), closed_at = now() - $2 * interval '1 day' where transaction_id = $1`,
      [id, days],
    );
  await sql("update review_cases set opened_at = now() - interval '900 days'");
  await sql(
    `insert into webhook_deliveries (endpoint_id, event_id, event_type, payload, created_at, state, next_at)
     select gen_random_uuid(), 'of ' || days, 'alert.raised', '{}', now() - days * interval '1 day', 'waiting', now()
       from (values (32), (31), (29)) d (days)`,
  );
  expect(await purge('review_cases')).toBe(1);
  const cases = await sql<{ id: string }>('select transaction_id as id from review_cases');
  expect(cases.map(({ id }) => id).sort()).toEqual([open, young].sort());
  expect(await sql('select event_id from webhook_deliveries')).toEqual([{ event_id: 'of 29' }]);
});

test('Postgres refuses to remove or to change the record of a model check of the last 30 days', async () => {
  await sql(
    `insert into models (model_id, model, format, artefact, feature_schema, feature_names, golden_inputs,
       golden_margins, golden_probabilities, golden_source, created_by)
     values (encode(sha256('a'), 'hex'), 'm@1', 'xgboost-json', 'a', 1, '{f}', '{1}', '{1}', '{1}', 'import', 'me')`,
  );
  await sql(
    `insert into model_checks (model_id, process, node_version, passed, checked_at)
     select model_id, 'p', 'v', true, now() - days * interval '1 day'
       from models, (values (29), (31), (729), (731), (732)) d (days)
      order by days desc`,
  );
  expect(await purge('model_checks')).toBe(2);
  expect(await count('model_checks')).toBe(3);
  const refused = /rows of model_checks are never changed/;
  await expect(sql('delete from model_checks')).rejects.toThrow(refused);
  await expect(sql(`update model_checks set process = 'q'`)).rejects.toThrow(refused);
  await expect(sql('truncate model_checks')).rejects.toThrow(refused);
});

/** Stores dead letters, each of a transaction of its own where it has one; resolves to their ids. */
async function giveUp(seeds: readonly { createdAtMs: number | null; score?: number }[]) {
  const transactions = await storeTransactions(
    database,
    seeds.flatMap(({ createdAtMs, ...seed }) =>
      createdAtMs === null ? [] : [{ createdAtMs, ...seed }],
    ),
  );
  const letters = seeds.map(({ createdAtMs }) => ({
    id: idAt(Date.now()),
    transactionId: createdAtMs === null ? null : (transactions.shift() ?? null),
    failedAtMs: Date.now() - 400 * DAY_MS,
  }));
  await storeDeadLetters(database, letters);
  return letters.map(({ id }) => id);
}
const stays = async (ids: readonly string[]) => {
  const rows = await sql<{ id: string }>(
    'select dead_letter_id as id from dead_letters where dead_letter_id = any ($1)',
    [ids],
  );
  return ids.map((id) => rows.some((row) => row.id === id));
};
const close = async (ids: readonly string[], how: 'replayed' | 'purged', daysAgo: number) =>
  await sql(
    `update dead_letters set ${how}_at = now() - $2::integer * interval '1 day' where dead_letter_id = any ($1)`,
    [ids, daysAgo],
  );

test('a dead letter ends after its replay or purge, where something else says what became of its transaction', async () => {
  const nowMs = Date.now();
  const [
    open = '',
    openUnreadable = '',
    young = '',
    scored = '',
    waiting = '',
    purged = '',
    unreadable = '',
  ] = await giveUp([
    { createdAtMs: nowMs },
    { createdAtMs: null },
    { createdAtMs: nowMs, score: 1 },
    { createdAtMs: nowMs, score: 1 },
    { createdAtMs: nowMs },
    { createdAtMs: nowMs },
    { createdAtMs: null },
  ]);
  await close([scored, waiting], 'replayed', 11);
  await close([purged, unreadable], 'purged', 11);
  await close([young], 'replayed', 9);
  expect(await purge('dead_letters')).toBe(2);
  expect(await stays([open, openUnreadable])).toEqual([true, true]);
  expect(await stays([young, waiting, purged])).toEqual([true, true, true]);
  expect(await stays([scored, unreadable])).toEqual([false, false]);
});

test('those of a month stay while it is detached, and end with it', async () => {
  const createdAtMs = Date.UTC(2021, 4, 5);
  const ids = await giveUp([{ createdAtMs, score: 1 }, { createdAtMs }]);
  await close(ids, 'purged', 20);
  await sql('alter table transactions detach partition transactions_y2021m05');
  await sql('alter table scores detach partition scores_y2021m05');
  expect(await purge('dead_letters')).toBe(0);
  expect(await stays(ids)).toEqual([true, true]);
  await sql('drop table transactions_y2021m05, scores_y2021m05');
  expect(await purge('dead_letters')).toBe(2);
});

test('letters that stay are passed by, however many', async () => {
  const createdAtMs = Date.now();
  const staying = await giveUp(Array(MANY).fill({ createdAtMs }));
  await close(staying, 'purged', 30);
  const ending = await giveUp(Array(MANY).fill({ createdAtMs, score: 1 }));
  await close(ending, 'purged', 20);
  expect(await purge('dead_letters')).toBe(MANY);
  expect((await stays(staying)).every(Boolean)).toBe(true);
});

test('counts a day end 90 days after their backtest, which stays', async () => {
  await sql(
    `insert into api_keys (key_id, key_hash, roles, owner) values ('k', decode(repeat('00', 32), 'hex'), '{analyst}', 'me')`,
  );
  await sql(
    `with old as (
       insert into backtests (state, question, sources, requested_by, requested_by_key, ended_at, cancelled_by)
       select 'cancelled', '{}', '{}', 'me', 'k', now() - days * interval '1 day', 'me' from (values (89), (91)) d (days)
       returning backtest_id)
     insert into backtest_days select backtest_id, date '2026-01-01' + n, '{}' from old, generate_series(1, 3) n`,
  );
  expect(await purge('backtest_days')).toBe(3);
  expect([await count('backtest_days'), await count('backtests')]).toEqual([3, 2]);
});

test('a table that cannot be purged does not keep the others from it', async () => {
  await sql('alter table dead_letters rename to elsewhere');
  await sql(`insert into watch_reports select now() - interval '9 days', 'm@2', '{}'`);
  await expect(purge('watch_reports')).rejects.toThrow('dead_letters');
  expect(await sql(`select from watch_reports where model = 'm@2'`)).toEqual([]);
});
