/**
 * Goal: an open row holds what is accepted and not final, and nothing else, whatever takes ids out at the same time; the number
 * of open ids is exact without counting them. Method: the statements on real Postgres, in overlapping database transactions.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import {
  countBacklog,
  countOpen,
  holdRows,
  openStored,
  takeOutFinal,
} from '../../src/core/store/open-rows/open-rows.ts';
import { planRows } from '../../src/core/stream/entries/producer.ts';
import type { Query } from '../../src/kit/database/pool.ts';
import { openTestDatabase } from '../support/database.ts';
import { idAt, readRows } from '../support/stored-rows.ts';
import { waitUntil } from '../support/wait-until.ts';

const AT_MS = Date.UTC(2026, 2, 10);
const ROW = idAt(AT_MS, 0xffff);
const [A, B, C] = [1, 2, 3].map((n) => idAt(AT_MS, n)) as [string, string, string];

const { testDatabase, database } = await openTestDatabase();

beforeEach(async () => {
  await testDatabase.sql('truncate open_rows');
});

const open = (ids: readonly string[], rowId = ROW) =>
  openStored(database.query, [{ rowId, corridor: 'US-EG', shard: 0, transactionIds: ids }]);
const take = (query: Query, ids: readonly string[], rowId: string | null = ROW) =>
  takeOutFinal(
    query,
    ids.map((id) => ({ rowId, id })),
  );
const left = async () =>
  (await readRows(database.query)).map(({ transactionIds }) => transactionIds);

async function expectLeft(ids: readonly string[]): Promise<void> {
  expect(await left()).toEqual(ids.length === 0 ? [] : [ids]);
  expect(await countOpen(database.query, null)).toBe(ids.length);
}

describe('taking out', () => {
  test.each<[string, readonly string[], readonly string[]]>([
    ['all ids', [A, B, C], []],
    ['all ids in another order', [C, A, B], []],
    ['some ids', [B], [A, C]],
    ['more than the row has', [A, B, C, idAt(AT_MS, 9)], []],
    ['ids twice', [A, A, B], [C]],
    ['ids that the row has not', [idAt(AT_MS, 9)], [A, B, C]],
  ])('%s leaves the others in their order', async (_, ids, rest) => {
    await open([A, B, C]);
    await take(database.query, ids);
    await expectLeft(rest);
    await take(database.query, ids);
    await expectLeft(rest);
  });

  test('of many rows at once ends each by itself', async () => {
    const rows = Array.from({ length: 300 }, (_, n) => idAt(AT_MS, 1000 + n));
    for (const [n, rowId] of rows.entries()) await open([idAt(AT_MS, 5000 + n), A], rowId);
    const all = rows.flatMap((rowId, n) => {
      const id = idAt(AT_MS, 5000 + n);
      return n % 2 === 0
        ? [
            { rowId, id },
            { rowId, id: A },
          ]
        : [{ rowId, id }];
    });
    await takeOutFinal(database.query, all);
    expect(await left()).toEqual(Array.from({ length: 150 }, () => [A]));
    expect(await countOpen(database.query, null)).toBe(150);
  });

  test.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ['other ids', [A], [B, C], []],
    ['other ids, not all', [A], [B], [C]],
    ['some of the same ids', [A, B], [B, C], []],
    ['all of the ids', [A, B, C], [A, B, C], []],
    ['all ids after some', [B], [A, B, C], []],
  ])('%s at the same time takes both out', async (_, first, second, rest) => {
    await open([A, B, C]);
    let taking: Promise<unknown> | undefined;
    await database.transaction(async (query) => {
      await take(query, first);
      taking = take(database.query, second);
      const isWaiting = async () =>
        (
          await testDatabase.sql(
            `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          )
        ).length > 0;
      await waitUntil(isWaiting, 10_000, 'the second to wait');
    });
    await taking;
    await expectLeft(rest);
  });
});

test('planned rows are one a stream and 128 transactions, in the order of siblings, and the same for the same batch', () => {
  const all = Array.from({ length: 300 }, (_, n) => ({
    ...{ transactionId: idAt(AT_MS + (n % 7), n), createdAtMs: AT_MS + (n % 7) },
    ...{ corridor: n % 3 === 0 ? 'US-MX' : 'US-EG', accountId: `acc_${n}` },
  }));
  const rows = planRows(ROW, () => 2, all);
  expect(planRows(ROW, () => 2, all.toReversed())).toEqual(rows);
  expect(new Set(rows.map(({ rowId }) => rowId)).size).toBe(rows.length);
  expect(rows.flatMap(({ transactionIds }) => transactionIds).sort()).toEqual(
    all.map(({ transactionId }) => transactionId).sort(),
  );
  for (const { corridor, shard, transactionIds, transactions } of rows) {
    expect(transactionIds.length).toBeLessThanOrEqual(128);
    expect(transactions.every((one) => one.corridor === corridor)).toBe(true);
    expect(shard).toBeLessThan(2);
    expect(transactionIds).toEqual(transactionIds.toSorted());
  }
});

test('the backlog is what is open and not on hold', async () => {
  await open([A, B, C]);
  await open([idAt(AT_MS, 4), idAt(AT_MS, 5)], idAt(AT_MS, 0xfffe));
  expect(await countBacklog(database.query)).toBe(5);
  await holdRows(database.query, [ROW]);
  await take(database.query, [A]);
  expect(await countBacklog(database.query)).toBe(2);
  await take(database.query, [B, C]);
  expect(await countBacklog(database.query)).toBe(2);
});
