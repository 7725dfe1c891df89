/**
 * Goal: scores that were stored with vectors as double precision[] are the same afterwards, bit for bit: they
 * verify, explain and train. Method: a database as the migrations before 0017 made it, several months of scores in
 * it, and a migration that fails at the oldest of them before it goes on.
 */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FEATURE_COUNT, FEATURE_SCHEMA } from '../../src/core/domain/feature-schema.ts';
import { currentRuleSet } from '../../src/core/score/rules/rule-sets.ts';
import { score } from '../../src/core/score/score.ts';
import { findLoggedFeature } from '../../src/core/store/labels/labelled-transactions.ts';
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import { readScoreRecord } from '../../src/core/store/scores/read-scores.ts';
import { vectorChecksum } from '../../src/core/store/scores/vector-checksum.ts';
import { timestampArray, uuidArray } from '../../src/kit/database/binary-array.ts';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { missingMigrations } from '../../src/kit/database/migrations/schema-version.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import { readTrainingRows } from '../../src/rooms/models/store/training-rows.ts';
import type { TrainingPage } from '../../src/rooms/models/training-page.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { insertPlainScores, type PlainScore } from '../support/delivered.ts';
import { makeMonthsAsBefore } from '../support/months-as-before.ts';
import { runRisk } from '../support/risk.ts';
import { idAt } from '../support/stored-rows.ts';

const SQL = fileURLToPath(new URL('../../sql/', import.meta.url));
const MIGRATION = '0017_store_vectors_as_bytes.sql';
const MONTHS = [Date.UTC(2026, 0, 31, 23), Date.UTC(2026, 1, 1), Date.UTC(2026, 3, 15)];
const PER_MONTH = 40;
/** Quiet and signalling NaNs, -0, subnormal numbers, the greatest, infinities. */
const AWKWARD = [
  ...[0x7ff8000000000000n, 0x7ff0000000000001n, 0xfff8000000000abcn, 0x8000000000000000n, 0n],
  ...[1n, 0x800fffffffffffffn, 0x0010000000000000n, 0x7fefffffffffffffn],
  ...[0x7ff0000000000000n, 0xfff0000000000000n],
];
const { signal } = new AbortController();
const lineage = { scoredAtMs: 0, featureSchema: FEATURE_SCHEMA, ruleSet: currentRuleSet.id };

let testDatabase: TestDatabase;
let database: Database;
let older: string;
const scores = MONTHS.flatMap((fromMs, month) =>
  Array.from({ length: PER_MONTH }, (_, index) => makeScore(fromMs + index, 100 * month + index)),
);

function makeScore(createdAtMs: number, n: number): PlainScore {
  const features = Float64Array.from({ length: FEATURE_COUNT }, (_, at) => ((n + at) % 97) / 3);
  const bits = new BigUint64Array(features.buffer);
  for (const [at, value] of AWKWARD.entries()) bits[(at * 7 + n) % FEATURE_COUNT] = value;
  return {
    ...{ transactionId: idAt(createdAtMs), createdAtMs, accountId: 'acc_1', corridor: 'US-EG' },
    decision: score({ vector: features, ruleSet: currentRuleSet, opinion: null }),
    ...{ features, model: null, attempts: 1, degradation: 0 },
  };
}

/** A float8[] in binary, value by value, so that no NaN loses its bits on the way. */
function float8Bits(vector: Float64Array): Buffer {
  const header = Buffer.from('0000000100000000000002bd0000000000000001', 'hex');
  header.writeInt32BE(vector.length, 12);
  const bits = Array.from(new BigUint64Array(vector.buffer), (value) => {
    const element = Buffer.from('000000080000000000000000', 'hex');
    element.writeBigUInt64BE(value, 4);
    return element;
  });
  return Buffer.concat([header, ...bits]);
}

async function insertAsBefore({ transactionId, createdAtMs, decision, features }: PlainScore) {
  await testDatabase.sql(
    `insert into scores (transaction_id, created_at, scored_at, account_id, corridor, score, risk, probability,
       verdict, reasons, features, feature_schema, rule_set, attempts, degradation, features_crc32)
     values ($1, $2, $2, 'acc_1', 'US-EG', $3, $4, $5, $6, $7, $8, $9, $10, 1, 0, $11)`,
    [
      ...[transactionId, new Date(createdAtMs), decision.score, decision.risk],
      ...[decision.probability, decision.verdict, JSON.stringify(decision.reasons)],
      ...[float8Bits(features), FEATURE_SCHEMA, currentRuleSet.id, vectorChecksum(features)],
    ],
  );
}

const bitsOf = (vector: Float64Array) => [...new BigUint64Array(vector.slice().buffer)];

beforeAll(async () => {
  testDatabase = await createTestDatabase({ migrated: false });
  older = await mkdtemp(join(tmpdir(), 'risk-sql-'));
  for (const name of await readdir(SQL)) {
    if (name < MIGRATION) await cp(join(SQL, name), join(older, name));
  }
  const options = { url: testDatabase.url, market: testDatabase.market, corridors: [] };
  await migrate(options, older);
  database = testDatabase.open();
  await makeMonthsAsBefore(testDatabase, database, MONTHS);
  for (const one of scores) await insertAsBefore(one);
  await testDatabase.sql(
    `insert into recomputed_features
     select transaction_id, created_at, feature_schema, features, now() from scores`,
  );

  await testDatabase.sql('create view in_the_way as select features from scores_y2026m01');
  const parts: string[] = [];
  const onProgress = (text: string) => parts.push(text);
  await expect(migrate({ ...options, onProgress })).rejects.toMatchObject({
    code: 'MIGRATION_FAILED',
  });
  expect(await missingMigrations(database)).toContain(MIGRATION);
  const [{ stored } = { stored: 0 }] = await testDatabase.sql<{ stored: number }>(
    'select count(*)::int as stored from scores',
  );
  expect(stored).toBe(2 * PER_MONTH);
  await testDatabase.sql('drop view in_the_way');
  expect(await migrate({ ...options, onProgress })).toContain(MIGRATION);
  expect(parts).toEqual([
    ...['scores_y2026m04 (1 of 3)', 'scores_y2026m02 (2 of 3)', 'scores_y2026m01 (3 of 3)'],
    'scores_y2026m01 (1 of 1)',
  ]);
  expect(await migrate(options)).toEqual([]);
});
afterAll(async () => {
  await database?.[Symbol.asyncDispose]();
  await rm(older, { recursive: true, force: true });
  await testDatabase[Symbol.asyncDispose]();
});

test('they verify', async () => {
  const { code, stdout } = await runRisk(['verify', 'scores', '--sample', '100000'], {
    DATABASE_URL: testDatabase.url,
  });
  const count = scores.length;
  expect([code, stdout]).toEqual([0, `verified=${count} different=0 available=${count}\n`]);
});

test('they explain, and give a label the feature that is kept with it', async () => {
  for (const { transactionId, createdAtMs, features } of scores.slice(0, 5)) {
    const record = await readScoreRecord(database, transactionId, createdAtMs);
    expect(bitsOf(record?.features ?? new Float64Array(0))).toEqual(bitsOf(features));
  }
  const ids = scores.map(({ transactionId }) => transactionId);
  for (const index of [0, 7, FEATURE_COUNT - 1]) {
    const values = scores.flatMap(({ transactionId, features: { [index]: value = 0 } }) =>
      Number.isNaN(value) ? [] : ([[transactionId, value]] as const),
    );
    expect(await findLoggedFeature(database.query, ids, index)).toEqual(new Map(values));
  }
});

test('they train', async () => {
  const pages: TrainingPage[] = [];
  const selection = {
    ...{ featureSchema: FEATURE_SCHEMA, features: FEATURE_COUNT, knownByMs: 0, signal },
    unlabelled: 'legitimate' as const,
  };
  const window = { fromMs: Date.UTC(2026, 0), toMs: Date.UTC(2026, 5) };
  await readTrainingRows(database, selection, async (reader) => {
    await reader.read(window, false, (page) => pages.push(page));
  });
  expect(pages.flatMap(({ vectors }) => bitsOf(vectors))).toEqual(
    scores.flatMap(({ features }) => bitsOf(features)),
  );
});

test('people read the same numbers, of scores and of what was computed again', async () => {
  for (const table of ['scores', 'recomputed_features']) {
    const rows = await testDatabase.sql<{ numbers: number[] }>(
      `select feature_values(features) as numbers from ${table} order by transaction_id`,
    );
    expect(rows.map(({ numbers }) => numbers)).toEqual(scores.map(({ features }) => [...features]));
  }
});

test('their partitions are vacuumed, as a rewritten table has no visibility map, which index-only scans need', async () => {
  // Which pages are found visible depends on what was flushed, and these tests commit without a flush.
  const parts = await testDatabase.sql(
    `select pg_stat_get_last_vacuum_time(oid) is not null as vacuumed from pg_class
      where relname ~ '^scores_y2026m0[124]$'`,
  );
  expect(parts).toEqual(Array(3).fill({ vacuumed: true }));
});

test.each(['scores', 'recomputed_features'])('%s holds whole doubles alone', async (table) => {
  const cut = testDatabase.sql(`update ${table} set features = substring(features from 2)`);
  await expect(cut).rejects.toThrow('features_are_doubles');
});

test('their partitions are as new ones, and take new scores', async () => {
  await ensurePartitions(database, [monthOf(Date.UTC(2027, 0))]);
  const describe = async (name: string) =>
    await testDatabase.sql(
      `select regexp_replace(replace(pg_get_indexdef(indexrelid), $1, 'p'), 'INDEX \\S+', 'INDEX') as part, indisvalid as valid
         from pg_index where indrelid = $1::regclass
       union all
       select conname || ' ' || pg_get_constraintdef(oid), coninhcount > 0
         from pg_constraint where conrelid = $1::regclass and contype <> 'p'
       union all
       select format('%s %s %s', attname, atttypid::regtype, attnotnull), attisdropped
         from pg_attribute where attrelid = $1::regclass and attnum > 0
       union all
       select reloptions::text, true from pg_class where oid = $1::regclass
       order by 1`,
      [name],
    );
  const fresh = await describe('scores_y2027m01');
  expect(fresh.length).toBeGreaterThan(25);
  for (const name of ['scores_y2026m01', 'scores_y2026m02', 'scores_y2026m04']) {
    expect(await describe(name)).toEqual(fresh);
  }
  const more = MONTHS.map((fromMs) => makeScore(fromMs + 500, 7));
  await insertPlainScores(database, more, lineage);
  const ids = more.map(({ transactionId }) => transactionId);
  const times = more.map(({ createdAtMs }) => createdAtMs);
  expect(
    await testDatabase.sql(
      `select features from scores join unnest($1::uuid[], $2::timestamptz[]) k (transaction_id, created_at)
        using (transaction_id, created_at) order by transaction_id`,
      [uuidArray(ids), timestampArray(times)],
    ),
  ).toEqual(more.map(({ features }) => ({ features: Buffer.from(features.buffer) })));
});
