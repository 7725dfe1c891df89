/** The lists as their routes call them, on a database without replica, and a reader of all their pages. */
import { openOrderedDatabase } from '../../src/kit/database/open-database.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import type { Databases, Replica } from '../../src/kit/database/replica/choose-database.ts';
import { transactionSearchParameters } from '../../src/rooms/search/queries/parameters.ts';
import { searchTransactions } from '../../src/rooms/search/queries/search.ts';
import { testConfig } from './config.ts';
import type { TestDatabase } from './database.ts';

export const NOVEMBER = Date.UTC(2026, 10, 15, 12);
export const DAY_MS = 86_400_000;

export const alone = (database: Database): Databases => ({
  primary: database,
  replica: null,
  now: () => NOVEMBER,
});

/** The connections of searches, as an API opens them. */
export const openOrdered = (
  { url }: TestDatabase,
  environment: Readonly<Record<string, string>> = {},
): Database => openOrderedDatabase(testConfig(environment), url, (call) => call());

/** The database itself in the place of a replica without lag. */
export const inStep = (database: Database): Replica => ({ database, ageMs: () => 0 });

export const transactions = (databases: Databases, query: Record<string, string>) =>
  searchTransactions(databases, transactionSearchParameters.parse(query));

/** Follows the cursors to the end; a list that never ends fails by the bound. */
export async function allPages(
  list: (query: Record<string, string>) => Promise<{
    items: { transaction_id: string }[];
    next_cursor: string | null;
  }>,
  query: Record<string, string>,
): Promise<string[]> {
  const found: string[] = [];
  let cursor: string | null = null;
  for (let pages = 0; pages < 100; pages++) {
    const page = await list(cursor === null ? query : { ...query, cursor });
    found.push(...page.items.map((item) => item.transaction_id));
    cursor = page.next_cursor;
    if (cursor === null) return found;
  }
  throw new Error('the list has no end');
}
