/**
 * Every query by id, account, merchant or time touches only the partitions it needs: read from the plans of the
 * engine's own statements, planned for these values and generically.
 */

import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { positionBefore } from '../../src/domain/cursor.ts';
import { inMarket } from '../../src/store/database/market-schema.ts';
import type { Database } from '../../src/store/database/pool.ts';
import type { MonthSlice, PreparedSearch } from '../../src/store/partitions/month-slice.ts';
import { type ScoreFilter, scoreSearch, selectScore } from '../../src/store/scores/score-search.ts';
import {
  selectTransaction,
  type TransactionFilter,
  transactionSearch,
} from '../../src/store/transactions/transaction-search.ts';
import { createTestDatabase } from '../support/database.ts';
import { idAt, storeTransactions } from '../support/stored-rows.ts';

const MARCH = Date.UTC(2026, 2, 1);
const APRIL = Date.UTC(2026, 3, 1);
const slice: MonthSlice = {
  lowerMs: MARCH,
  upperMs: APRIL,
  before: positionBefore(APRIL),
  rows: 51,
};

let database: Database;
let dispose: () => Promise<void>;

beforeAll(async () => {
  const testDatabase = await createTestDatabase();
  database = testDatabase.open();
  dispose = async () => {
    await database[Symbol.asyncDispose]();
    await testDatabase[Symbol.asyncDispose]();
  };
  const months = Array.from({ length: 12 }, (_, month) => Date.UTC(2026, month, 10));
  await storeTransactions(
    database,
    months.map((createdAtMs) => ({ createdAtMs, score: 1 })),
  );
});
afterAll(() => dispose());

/** Partitions that a plan reads, as the server reports them. */
async function partitionsOf(
  search: PreparedSearch,
  plans: 'custom' | 'generic',
): Promise<string[]> {
  return await database.session(async (client: pg.PoolClient) => {
    const literals = search.values.map((value) => {
      if (value === null) return 'null';
      return client.escapeLiteral(value instanceof Date ? value.toISOString() : String(value));
    });
    await client.query(`set plan_cache_mode = force_${plans}_plan`);
    await client.query(`prepare search as ${inMarket(search.statement.text, 'market_0')}`);
    try {
      const { rows } = await client.query<{ 'QUERY PLAN': unknown }>(
        `explain (format json) execute search (${literals.join(', ')})`,
      );
      const plan = JSON.stringify(rows[0]?.['QUERY PLAN']);
      const names = plan.matchAll(/"Relation Name":"([^"]+)"/g);
      return [...new Set(Array.from(names, (match) => match[1] ?? ''))].sort();
    } finally {
      await client.query('deallocate search');
    }
  });
}

const PLANS = ['custom', 'generic'] as const;
const id = idAt(Date.UTC(2026, 2, 10));

describe.each(PLANS)('with a %s plan', (plans) => {
  const SCORE_FILTERS: ScoreFilter[] = [
    {},
    { verdict: 'review', reason: 'VELOCITY' },
    { corridor: 'US-EG' },
  ];
  test.each(SCORE_FILTERS)('a page of scores %o reads one partition', async (filter) => {
    const { page, boundary } = scoreSearch(filter, slice);
    expect(await partitionsOf(page, plans)).toEqual(['scores_y2026m03']);
    if (boundary) expect(await partitionsOf(boundary, plans)).toEqual(['scores_y2026m03']);
  });

  test.each<ScoreFilter>([
    { accountId: 'acc_1' },
    { accountId: 'acc_1', verdict: 'decline', minScore: 500 },
    { merchantId: 'm_1' },
    { merchantId: 'm_1', accountId: 'acc_1' },
  ])('a page of scores %o reads one partition of each table', async (filter) => {
    const expected = ['scores_y2026m03', 'transactions_y2026m03'];
    expect(await partitionsOf(scoreSearch(filter, slice).page, plans)).toEqual(expected);
  });

  test.each<TransactionFilter>([
    {},
    { accountId: 'acc_1' },
    { merchantId: 'm_1' },
    { accountId: 'acc_1', merchantId: 'm_1', corridor: 'US-EG' },
  ])('a page of transactions %o reads one partition of each table', async (filter) => {
    const expected = ['dead_letters', 'scores_y2026m03', 'transactions_y2026m03'];
    expect(await partitionsOf(transactionSearch(filter, slice).page, plans)).toEqual(expected);
  });

  test.each([null, 'shop'])('one by id of %j reads one partition of each table', async (client) => {
    const at = new Date(Date.UTC(2026, 2, 10));
    const until = new Date(at.getTime() + 1);
    const score = { statement: selectScore, values: [id, at, client] };
    // A generic plan contains both branches.
    const asksWhose = client !== null || plans === 'generic';
    const expected = asksWhose ? ['transactions_y2026m03'] : [];
    expect(await partitionsOf(score, plans)).toEqual(['scores_y2026m03', ...expected]);
    const transaction = { statement: selectTransaction, values: [at, until, id, client] };
    expect(await partitionsOf(transaction, plans)).toEqual([
      ...['dead_letters', 'scores_y2026m03', 'transactions_y2026m03'],
    ]);
  });
});
