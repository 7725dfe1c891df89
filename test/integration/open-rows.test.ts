/**
 * Goal: an open row holds what is accepted and not final, and nothing else, whatever takes ids out at the same time; the number
 * of open ids is exact without counting them; a database of an older release is taken over. Method: the statements on real
 * Postgres, in overlapping database transactions; the migration over rows as an older release left them.
 */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { beforeEach, describe, expect, test } from 'vitest';
import { planRows } from '../../src/core/accept/plan-rows.ts';
import { countBacklog } from '../../src/core/store/open-rows/backlog.ts';
import {
  countOpen,
  finalValues,
  foldOpen,
  holdRows,
  openStored,
  takeOutFinal,
} from '../../src/core/store/open-rows/open-rows.ts';
import { uuidArray } from '../../src/kit/database/binary-array.ts';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { SQL_FOLDER } from '../../src/kit/database/migrations/migration-files.ts';
import type { Query } from '../../src/kit/database/pool.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';
import { idAt, readRows, storeDeadLetters, storeTransactions } from '../support/stored-rows.ts';
import { waitUntil } from '../support/wait-until.ts';

const AT_MS = Date.UTC(2026, 2, 10);
const ROW = idAt(AT_MS, 0xffff);
const [A, B, C] = [1, 2, 3].map((n) => idAt(AT_MS, n)) as [string, string, string];
const MIGRATION = '0045_create_open_rows.sql';

const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(testDatabase.open());

beforeEach(async () => {
  await testDatabase.sql('truncate open_rows, open_increments');
});

const open = (ids: readonly string[], rowId = ROW) =>
  openStored(database.query, [{ rowId, corridor: 'US-EG', shard: 0, transactionIds: ids }]);
const take = (query: Query, ids: readonly string[], rowId: string | null = ROW) =>
  takeOutFinal(
    query,
    finalValues(
      ids.map((id) => ({ rowId, id })),
      uuidArray,
    ),
  );
const left = async () =>
  (await readRows(database.query)).map(({ transactionIds }) => transactionIds);

/** The sum and the rows, which must agree. */
async function expectLeft(ids: readonly string[]): Promise<void> {
  expect(await left()).toEqual(ids.length === 0 ? [] : [ids]);
  expect(await countOpen(database.query)).toBe(ids.length);
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

  test('of no row, or of one that is gone, changes nothing', async () => {
    await open([A]);
    await take(database.query, [A], null);
    await take(database.query, [A], idAt(AT_MS, 77));
    await expectLeft([A]);
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
    await takeOutFinal(database.query, finalValues(all, uuidArray));
    expect(await left()).toEqual(Array.from({ length: 150 }, () => [A]));
    expect(await countOpen(database.query)).toBe(150);
  });

  test.each<[string, readonly string[], readonly string[], readonly string[]]>([
    ['other ids', [A], [B, C], []],
    ['other ids, not all', [A], [B], [C]],
    ['some of the same ids', [A, B], [B, C], []],
    ['all of the ids', [A, B, C], [A, B, C], []],
    ['all ids after some', [B], [A, B, C], []],
  ])('%s at the same time takes both out', async (_, first, second, rest) => {
    await open([A, B, C]);
    let taking: Promise<void> | undefined;
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

  test('is undone with the statement that fails', async () => {
    await open([A]);
    const failing = database.transaction(async (query) => {
      await take(query, [A]);
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    await expectLeft([A]);
  });
});

test('increments are folded to one without a change of their sum', async () => {
  await open([A, B, C]);
  await take(database.query, [B]);
  await foldOpen(database.query);
  expect(await testDatabase.sql('select ids from open_increments')).toEqual([{ ids: 2 }]);
  await expectLeft([A, C]);
  await take(database.query, [A, C]);
  await foldOpen(database.query);
  await expectLeft([]);
});

describe('planned rows', () => {
  test('are one a stream and 128 transactions, in the order of siblings, and the same for the same batch', () => {
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
});

describe('the migration', () => {
  let older: TestDatabase;
  const options = () => ({
    ...{ url: older.url, market: older.market, corridors: [], lockAttemptsMax: 1 },
  });
  beforeEach(async () => {
    older = await createTestDatabase({ migrated: false });
    const folder = await mkdtemp(join(tmpdir(), 'risk-sql-'));
    try {
      for (const name of await readdir(SQL_FOLDER)) {
        if (name < MIGRATION || name.endsWith('.sha256')) {
          await cp(join(SQL_FOLDER, name), join(folder, name));
        }
      }
      await migrate(options(), folder);
    } finally {
      await rm(folder, { recursive: true });
    }
    return async () => {
      await older[Symbol.asyncDispose]();
    };
  });

  test('opens rows for what is neither scored nor dead since the checkpoint, and for what was owed', async () => {
    await using opened = older.open();
    // Rows are stored by today's statements, which ask a table that a later migration makes.
    await older.sql('create table archived_months (month text, step text)');
    const received = { receivedAtMs: AT_MS };
    const seeds = (first: number, count: number, more = {}) =>
      Array.from({ length: count }, (_, n) => ({
        ...{ createdAtMs: AT_MS + first + n, ...received, ...more },
      }));
    const waiting = await storeTransactions(opened, seeds(0, 300));
    const other = await storeTransactions(opened, seeds(1000, 2, { corridor: 'US-MX' }));
    await storeTransactions(opened, seeds(2000, 5, { score: 1 }));
    const old = { receivedAtMs: AT_MS - 86_400_000 };
    const [owed = '', replayed = '', final = ''] = await storeTransactions(
      opened,
      seeds(3000, 3, old),
    );
    const [dead = '', purged = ''] = await storeTransactions(opened, seeds(4000, 2));
    await storeDeadLetters(opened, [
      { id: idAt(1, 1), transactionId: dead, failedAtMs: AT_MS },
      { id: idAt(1, 2), transactionId: purged, failedAtMs: AT_MS },
      { id: idAt(1, 3), transactionId: replayed, failedAtMs: AT_MS },
    ]);
    await older.sql('update dead_letters set purged_at = now() where transaction_id = $1', [
      purged,
    ]);
    await older.sql('update dead_letters set replayed_at = now() where transaction_id = $1', [
      replayed,
    ]);
    await older.sql('insert into ingest_batches values (gen_random_uuid(), now(), $1)', [[owed]]);
    await older.sql('update reconcile_state set checkpoint = $1', [new Date(AT_MS - 3_600_000)]);
    await older.sql('drop table archived_months');
    expect(await migrate(options())).toContain(MIGRATION);
    const rows = await readRows(opened.query);
    const ids = rows.flatMap(({ transactionIds }) => transactionIds);
    expect(ids.sort()).toEqual([...waiting, ...other, owed, replayed].sort());
    expect(ids).not.toContain(final);
    expect(Math.max(...rows.map(({ transactionIds }) => transactionIds.length))).toBe(128);
    expect(await countOpen(opened.query)).toBe(ids.length);
    const migrated =
      'select count(*)::int as rows from open_rows where is_migrated and not is_left';
    expect(await older.sql(migrated)).toEqual([{ rows: rows.length }]);
  });

  test('is refused while a process of an older release is connected', async () => {
    const process = new pg.Client({
      connectionString: older.url,
      application_name: 'risk-worker-probe',
    });
    await process.connect();
    const migrating = migrate(options());
    await expect(migrating).rejects.toThrow(/processes of an older release are connected/);
    await process.end();
    const isGone = async () =>
      (
        await older.sql(
          `select from pg_stat_activity where application_name = 'risk-worker-probe' and datname = current_database()`,
        )
      ).length === 0;
    await waitUntil(isGone, 10_000, 'the process to be gone');
    expect(await migrate(options())).toContain(MIGRATION);
  });
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
