/**
 * Goal: readers of a snapshot look back no further than they must. Method: a
 * mark is read beside sessions that have a database transaction under way, and beside one whose times Postgres hides.
 */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { readMark } from '../../src/core/store/profiles/profile-snapshots.ts';
import type { Query } from '../../src/kit/database/pool.ts';
import { createTestDatabase } from '../support/database.ts';

/** Milliseconds between the mark's time and the beginning of the database transaction of `query`. */
async function msBefore(query: Query, rowsFrom: string): Promise<number> {
  const text = `select extract(epoch from now() - $1::timestamptz)::float8 * 1000 as ms`;
  const [row] = await query<{ ms: number }>({ text }, [rowsFrom]);
  return row?.ms ?? Number.NaN;
}

test('rows are looked for from when the oldest database transaction under way began', async () => {
  await using database = await createTestDatabase();
  await using pool = database.open();
  const { rowsFrom: during } = await pool.transaction(async (query) => {
    expect(await msBefore(query, (await readMark(pool.query)).rowsFrom)).toBe(0);
    return await readMark(pool.query);
  });
  const { rowsFrom: after } = await readMark(pool.query);
  expect(await msBefore(pool.query, during)).toBeGreaterThan(await msBefore(pool.query, after));
});

test('a session whose times are hidden, and which may store rows, counts as old', async () => {
  await using database = await createTestDatabase();
  const role = `reader_${randomUUID().replaceAll('-', '')}`;
  await database.sql(`create role ${role} login password '${role}'`);
  try {
    const url = new URL(database.url);
    [url.username, url.password] = [role, role];
    await using hidden = database.open();
    await using pool = database.open({ url: url.href });
    await database.sql(`grant usage on schema ${database.market} to ${role}`);
    await hidden.query({ text: 'select 1' });
    const { rowsFrom } = await readMark(pool.query);
    expect(await msBefore(pool.query, rowsFrom)).toBeGreaterThanOrEqual(10_000);
  } finally {
    await database.sql(`revoke usage on schema ${database.market} from ${role}; drop role ${role}`);
  }
});
