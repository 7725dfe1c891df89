/** The migrations that a database has: a role checks them before it serves. */
import { setTimeout as delay } from 'node:timers/promises';
import { refuseUnfinished } from '../core/store/make-market.ts';
import { readMigrations } from '../kit/database/migrations/migration-session.ts';
import { SCHEMA_MISSING } from '../kit/database/pg-failure.ts';
import type { Database } from '../kit/database/pool.ts';
import { Failure, isUnavailable } from '../kit/words/failure.ts';

const listApplied = {
  name: 'list-applied-migrations',
  text: 'select name from market.schema_migrations order by name',
};

/**
 * Names of migrations this code needs and the database lacks.
 * @throws Failure where the market is being restored from an archive: nothing serves it
 */
export async function missingMigrations(database: Database): Promise<string[]> {
  const needed = (await readMigrations()).map((migration) => migration.name);
  await refuseUnfinished(database.query);
  const rows = await database.query<{ name: string }>(listApplied);
  const applied = new Set(rows.map((row) => row.name));
  return needed.filter((name) => !applied.has(name));
}

const POLL_MS = 200;

/**
 * Returns false when the time is over, or the process has to stop, while the schema is incomplete. Throws the failure of
 * Postgres where the last check could not read the schema.
 */
export async function waitForSchema(
  database: Database,
  waitMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const endMs = performance.now() + waitMs;
  for (;;) {
    const failure = await missingMigrations(database).then(
      (missing) => (missing.length === 0 ? 'none' : 'missing'),
      (error: unknown) => {
        if (!(error instanceof Failure && isUnavailable(error))) throw error;
        return error.code === SCHEMA_MISSING ? 'missing' : error;
      },
    );
    if (failure === 'none') return true;
    if (signal.aborted) return false;
    if (performance.now() >= endMs) {
      if (failure === 'missing') return false;
      throw failure;
    }
    await delay(POLL_MS);
  }
}
