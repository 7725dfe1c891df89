/**
 * Goal: a market has one table a day, which never changes. Method: made tables in a market
 * with both migrations.
 */
import { expect, test } from 'vitest';
import { encodeTable, hashTable } from '../../../src/core/score/scorecard/table-bytes.ts';
import {
  findHead,
  insertTable,
  listHeads,
  readTable,
} from '../../../src/core/store/scorecards/scorecards.ts';
import { createTestDatabase } from '../../support/database.ts';
import { dayTable, newTable } from '../../support/day-tables.ts';
import { openForFile } from '../../support/open-for-file.ts';

const tableOf = (day: number) => dayTable({ day });

const database = await openForFile(createTestDatabase());
const pool = await openForFile(Promise.resolve(database.open()));

async function store(day: number) {
  const made = newTable(tableOf(day), { payments: 7, readTo: '12' });
  return await pool.transaction((query) => insertTable(query, made));
}

await store(20_000);
const second = await store(20_005);

test('a day that has a table gets no other one', async () => {
  await expect(store(20_005)).rejects.toMatchObject({
    ...{ kind: 'conflict', code: 'SCORECARD_EXISTS' },
    message: expect.stringContaining('2024-10-09'),
  });
});

test('a table is read as it was stored', async () => {
  const table = tableOf(20_005);
  const sha256 = hashTable(encodeTable(table));
  expect(await readTable(pool.query, second)).toEqual({ serial: second, sha256, table });
  expect(await readTable(pool.query, 999)).toBeUndefined();
  expect(await findHead(pool.query, 20_005)).toMatchObject({ serial: second, payments: 7 });
  expect(await findHead(pool.query, 20_004)).toBeUndefined();
});

test('tables are listed from the newest on', async () => {
  const days = async (before: number) =>
    (await listHeads(pool.query, before, 10)).map(({ day }) => day);
  expect(await days(20_006)).toEqual([20_005, 20_000]);
  expect(await days(20_005)).toEqual([20_000]);
});

test('a stored table never changes, and one with another hash is refused', async () => {
  for (const change of [`update scorecards set payments = 1`, 'delete from scorecards']) {
    await expect(database.sql(change)).rejects.toThrow('rows of scorecards are never changed');
  }
  await expect(
    database.sql(`insert into scorecards (serial, day, sha256, bytes, measures, payments, frauds, read_to)
                  values (9, '2030-01-01', sha256('\\x00'), '\\x01', '{}', 0, 0, '1')`),
  ).rejects.toThrow('scorecard_hash_is_sha256');
});

test('bytes that changed on the disk judge nothing', async () => {
  await database.sql(
    `alter table scorecards disable trigger user, drop constraint scorecard_hash_is_sha256`,
  );
  await database.sql(`update scorecards set bytes = set_byte(bytes, 99, get_byte(bytes, 99) # 1)`);
  await expect(readTable(pool.query, second)).rejects.toMatchObject({ code: 'SCORECARD_CORRUPT' });
});
