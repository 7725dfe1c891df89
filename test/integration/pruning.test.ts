/**
 * Every query by id, account, merchant or time touches only the partitions it needs: read from the plans of the
 * engine's own statements, planned for these values and generically.
 */
import type pg from 'pg';
import { describe, expect, test } from 'vitest';
import { selectScore } from '../../src/core/store/scores/read-scores.ts';
import { findStatement, type RowSearch } from '../../src/core/store/search/search-rows.ts';
import { selectTransaction } from '../../src/core/store/transactions/read-transactions.ts';
import { inMarket } from '../../src/kit/database/market-schema.ts';
import { transactionSearchParameters } from '../../src/rooms/search/queries/parameters.ts';
import { openTestDatabase } from '../support/database.ts';
import { idAt, storeTransactions } from '../support/stored-rows.ts';

const MARCH = Date.UTC(2026, 2, 1);
const APRIL = Date.UTC(2026, 3, 1);
const search: Omit<RowSearch, 'filter'> = {
  list: 'time',
  isDescending: true,
  range: { fromMs: MARCH, toMs: APRIL },
  after: { id: idAt(APRIL, 1), atMs: APRIL, value: null },
  lookedAtMax: 20_000,
  rows: 51,
};

const { database } = await openTestDatabase();
const months = Array.from({ length: 12 }, (_, month) => Date.UTC(2026, month, 10));
await storeTransactions(
  database,
  months.map((createdAtMs) => ({ createdAtMs, score: 1 })),
);

/** Partitions that a plan reads, as the server reports them. */
async function partitionsOf(
  search: { readonly text: string; readonly values: readonly unknown[] },
  plans: 'custom' | 'generic',
): Promise<string[]> {
  return await database.session(async (client: pg.PoolClient) => {
    const literals = search.values.map((value) => {
      if (value === null) return 'null';
      if (Array.isArray(value)) return client.escapeLiteral(`{${value.join(',')}}`);
      return client.escapeLiteral(value instanceof Date ? value.toISOString() : String(value));
    });
    await client.query(`set plan_cache_mode = force_${plans}_plan`);
    await client.query(`prepare search as ${inMarket(search.text, 'market_0')}`);
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
const SCORED = { status: 'scored' };
const id = idAt(Date.UTC(2026, 2, 10));

describe.each(PLANS)('with a %s plan', (plans) => {
  test.each<[Record<string, string>, string[]]>([
    [SCORED, ['scores']],
    [{ verdict: 'review', reason: 'VELOCITY_COUNT_1H', ...SCORED }, ['scores']],
    [{ corridor: 'US-EG', ...SCORED }, ['scores']],
    [{ account_id: 'acc_1', ...SCORED }, ['scores', 'transactions']],
    [
      { device_id: 'd', verdict: 'decline', min_score: '500', ...SCORED },
      ['scores', 'transactions'],
    ],
    [{ client: 'shop', model: 'none', ...SCORED }, ['scores', 'transactions']],
    [{ label: 'fraud', ...SCORED }, ['labels', 'scores']],
    [{ verdict: 'decline', client: 'shop', ...SCORED }, ['scores', 'transactions']],
    [{}, ['transactions']],
    [{ account_id: 'acc_1' }, ['transactions']],
    [{ ip: '192.0.2.1', merchant_id: 'm_1', corridor: 'US-EG' }, ['transactions']],
    [{ label: 'none' }, ['labels', 'transactions']],
  ])('a search of %j reads one partition of each table', async (query, tables) => {
    const asked = transactionSearchParameters.parse(query);
    const statement = findStatement({ ...search, filter: asked });
    const expected = tables.map((table) => `${table}_y2026m03`);
    expect(await partitionsOf(statement, plans)).toEqual(expected);
  });

  test.each([null, 'shop'])('one by id of %j reads one partition of each table', async (client) => {
    const at = new Date(Date.UTC(2026, 2, 10));
    const until = new Date(at.getTime() + 1);
    const score = { ...selectScore, values: [id, at, client] };
    // A generic plan contains both branches.
    const asksWhose = client !== null || plans === 'generic';
    const expected = asksWhose ? ['transactions_y2026m03'] : [];
    expect(await partitionsOf(score, plans)).toEqual(['scores_y2026m03', ...expected]);
    const transaction = { ...selectTransaction, values: [at, until, id, client] };
    expect(await partitionsOf(transaction, plans)).toEqual([
      'dead_letters',
      'final_decisions',
      'scores_y2026m03',
      'transactions_y2026m03',
    ]);
  });
});
