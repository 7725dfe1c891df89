/** Which migrations a database has: what a role checks before it serves. */
import { setTimeout as delay } from 'node:timers/promises';
import { isUnavailable } from '../domain/failure.ts';
import { readMigrations } from './migration-files.ts';
import type { Database } from './pool.ts';

const listApplied = {
  name: 'list-applied-migrations',
  text: 'select name from market.schema_migrations order by name',
};

/** Names of migrations this code needs and the database lacks; all of them where there is no schema yet. */
export async function missingMigrations(database: Database): Promise<string[]> {
  const needed = (await readMigrations()).map((migration) => migration.name);
  const rows = await database.query<{ name: string }>(listApplied);
  const applied = new Set(rows.map((row) => row.name));
  return needed.filter((name) => !applied.has(name));
}

const POLL_MS = 200;

/** False when the time is over, or the process is told to stop, before the schema is there. */
export async function waitForSchema(
  database: Database,
  waitMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const endMs = performance.now() + waitMs;
  for (;;) {
    try {
      if ((await missingMigrations(database)).length === 0) return true;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
    }
    if (signal.aborted || performance.now() >= endMs) return false;
    await delay(POLL_MS);
  }
}
