/** Which migrations a database has: what a role checks before it serves. */

import { readMigrations } from './migrate.ts';
import type { Database } from './pool.ts';

const listApplied = {
  name: 'list-applied-migrations',
  text: 'select name from schema_migrations order by name',
};

/** Names of migrations this code needs and the database lacks; all of them where there is no schema yet. */
export async function missingMigrations(database: Database): Promise<string[]> {
  const needed = (await readMigrations()).map((migration) => migration.name);
  const rows = await database.query<{ name: string }>(listApplied);
  const applied = new Set(rows.map((row) => row.name));
  return needed.filter((name) => !applied.has(name));
}
