/**
 * Lists on real Postgres: every filter against the same filter written in plain code, page by page, and a match
 * behind more rows than one slice examines.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SLICE_ROWS_EXAMINED_MAX } from '../../../../src/core/store/partitions/month-slice.ts';
import type { Databases } from '../../../../src/kit/database/replica/choose-database.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { allPages, alone, DAY_MS, NOVEMBER, scores, transactions } from '../../../support/reads.ts';
import { idAt, storeTransactions, type TransactionSeed } from '../../../support/stored-rows.ts';

describe('lists', () => {
  const REASONS = ['VELOCITY_COUNT_1H', 'NEW_MERCHANT', 'STRUCTURING'];
  /** Deterministic variety over four months, newest first; every seventh is not scored. */
  const seeds = Array.from({ length: 400 }, (_, n) => {
    const createdAtMs = NOVEMBER - Math.floor((n * 7919) % 400) * 7 * 3_600_000 - (n % 2);
    return {
      id: idAt(createdAtMs, n),
      createdAtMs,
      accountId: `acc_${n % 7}`,
      merchantId: `m_${n % 5}`,
      corridor: n % 3 === 0 ? 'US-MX' : 'US-EG',
      score: n % 7 === 3 ? undefined : (n * 37) % 1001,
      reasons: REASONS.filter((_reason, bit) => ((n >> bit) & 1) === 1),
    };
  }).sort((a, b) => (a.id < b.id ? 1 : -1));
  type Seed = (typeof seeds)[number];
  let databases: Databases;
  let dispose: () => Promise<void>;

  beforeAll(async () => {
    const testDatabase = await createTestDatabase();
    const database = testDatabase.open();
    databases = alone(database);
    dispose = async () => {
      await database[Symbol.asyncDispose]();
      await testDatabase[Symbol.asyncDispose]();
    };
    await storeTransactions(
      database,
      seeds.map(
        ({ score, ...seed }): TransactionSeed => (score === undefined ? seed : { ...seed, score }),
      ),
    );
  });
  afterAll(() => dispose());

  const from = new Date(NOVEMBER - 80 * DAY_MS).toISOString();
  const to = new Date(NOVEMBER - 20 * DAY_MS).toISOString();
  const within = (seed: Seed) =>
    seed.createdAtMs >= Date.parse(from) && seed.createdAtMs < Date.parse(to);
  const verdict = (seed: Seed) =>
    seed.score === undefined
      ? undefined
      : seed.score >= 800
        ? 'decline'
        : seed.score >= 500
          ? 'review'
          : 'approve';
  const SCORE_FILTERS: [Record<string, string>, (seed: Seed) => boolean][] = [
    [{}, () => true],
    [{ from, to }, within],
    [{ account_id: 'acc_2' }, (seed) => seed.accountId === 'acc_2'],
    [
      { account_id: 'acc_2', verdict: 'decline' },
      (seed) => seed.accountId === 'acc_2' && verdict(seed) === 'decline',
    ],
    [
      { merchant_id: 'm_3', from },
      (s) => s.merchantId === 'm_3' && s.createdAtMs >= Date.parse(from),
    ],
    [
      { merchant_id: 'm_3', account_id: 'acc_2' },
      (seed) => seed.merchantId === 'm_3' && seed.accountId === 'acc_2',
    ],
    [{ verdict: 'approve' }, (seed) => verdict(seed) === 'approve'],
    [{ verdict: 'review' }, (seed) => verdict(seed) === 'review'],
    [
      { verdict: 'decline', corridor: 'US-MX', to },
      (s) => verdict(s) === 'decline' && s.corridor === 'US-MX' && s.createdAtMs < Date.parse(to),
    ],
    [{ min_score: '900' }, (seed) => (seed.score ?? 0) >= 900],
    [{ reason: 'STRUCTURING' }, (seed) => seed.reasons.includes('STRUCTURING')],
    [
      { reason: 'VELOCITY_COUNT_1H', min_score: '300', corridor: 'US-EG', merchant_id: 'm_1' },
      (seed) =>
        seed.reasons.includes('VELOCITY_COUNT_1H') &&
        (seed.score ?? 0) >= 300 &&
        seed.corridor === 'US-EG' &&
        seed.merchantId === 'm_1',
    ],
    [{ account_id: 'nobody' }, () => false],
  ];

  test.each(SCORE_FILTERS)('searchScores %o', async (query, matches) => {
    const expected = seeds.filter((s) => s.score !== undefined && matches(s)).map((s) => s.id);
    const list = (page: Record<string, string>) => scores(databases, page);
    expect(await allPages(list, { ...query, limit: '200' })).toEqual(expected);
    expect(await allPages(list, { ...query, limit: '7' })).toEqual(expected);
  });

  const TRANSACTION_FILTERS: [Record<string, string>, (seed: Seed) => boolean][] = [
    [{}, () => true],
    [{ from, to }, within],
    [{ account_id: 'acc_1' }, (seed) => seed.accountId === 'acc_1'],
    [{ merchant_id: 'm_4', from, to }, (seed) => seed.merchantId === 'm_4' && within(seed)],
    [
      { account_id: 'acc_1', merchant_id: 'm_4', corridor: 'US-MX' },
      (s) => s.accountId === 'acc_1' && s.merchantId === 'm_4' && s.corridor === 'US-MX',
    ],
    [{ corridor: 'US-MX' }, (seed) => seed.corridor === 'US-MX'],
    [{ corridor: 'AA-BB' }, () => false],
  ];

  test.each(TRANSACTION_FILTERS)('searchTransactions %o', async (query, matches) => {
    const expected = seeds.filter(matches).map((seed) => seed.id);
    const list = (page: Record<string, string>) => transactions(databases, page);
    expect(await allPages(list, { ...query, limit: '200' })).toEqual(expected);
    expect(await allPages(list, { ...query, limit: '9' })).toEqual(expected);
  });

  test('searchTransactions tells what became of each', async () => {
    const { items } = await transactions(databases, { limit: '200' });
    const expected = seeds
      .slice(0, 200)
      .map((s) => (s.score === undefined ? 'accepted' : 'scored'));
    expect(items.map((item) => item.status)).toEqual(expected);
  });
});

test('searchScores finds the one match behind more rows than a slice looks at', async () => {
  await using testDatabase = await createTestDatabase();
  await using database = testDatabase.open();
  const oldest = NOVEMBER - DAY_MS;
  const [needle] = await storeTransactions(database, [
    {
      createdAtMs: oldest,
      accountId: 'busy',
      merchantId: 'needle',
      score: 999,
      reasons: ['STRUCTURING'],
    },
  ]);
  const count = SLICE_ROWS_EXAMINED_MAX * 2 + 5;
  // Ids are built in SQL as idAt builds them: the time in front, version 7, then the row's number.
  const id = `(lpad(to_hex(($1::bigint + n)), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid`;
  await testDatabase.sql(
    `insert into transactions (client, transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency)
     select 'default', ${id}, to_timestamp(($1::bigint + n) / 1000.0), now(), 'busy', 'hay', 'US-EG', 1, 'USD' from generate_series(1, ${count}) n`,
    [oldest],
  );
  await testDatabase.sql(
    `insert into scores (features_crc32, transaction_id, created_at, scored_at, account_id, corridor, score, risk, verdict, reasons, features, feature_schema, rule_set, attempts, degradation)
     select 0, transaction_id, created_at, now(), account_id, corridor, 0, 0, 'approve', '[]', '', 3, 'default@3', 1, 0 from transactions where merchant_id = 'hay'`,
  );
  for (const query of [
    { min_score: '299', reason: 'STRUCTURING' },
    { min_score: '900' },
    { account_id: 'busy', min_score: '900' },
    { account_id: 'busy', merchant_id: 'needle' },
  ]) {
    const list = (page: Record<string, string>) => scores(alone(database), page);
    expect(await allPages(list, query)).toEqual([needle]);
  }
});
