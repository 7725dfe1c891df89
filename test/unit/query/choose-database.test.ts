/** Which Postgres answers a read. Databases are only told apart here, never asked. */
import { expect, test } from 'vitest';
import { chooseDatabase, RECENT_MS } from '../../../src/query/choose-database.ts';
import type { Database } from '../../../src/store/pool.ts';

const named = () => ({}) as Database;
const [primary, replica] = [named(), named()];
const NOW = 10 * RECENT_MS;
const databases = { primary, replica, now: () => NOW };

test('recent data comes from the primary, older from the replica, if there is one', () => {
  expect(chooseDatabase(databases, NOW)).toBe(primary);
  expect(chooseDatabase(databases, NOW - RECENT_MS)).toBe(replica);
  expect(chooseDatabase({ ...databases, replica: null }, 0)).toBe(primary);
});

test('a primary that is to be spared is asked only where there is no replica', () => {
  const spared = { ...databases, sparesPrimary: () => true };
  expect(chooseDatabase(spared, NOW)).toBe(replica);
  expect(chooseDatabase({ ...spared, replica: null }, NOW)).toBe(primary);
  expect(chooseDatabase({ ...databases, sparesPrimary: () => false }, NOW)).toBe(primary);
});
