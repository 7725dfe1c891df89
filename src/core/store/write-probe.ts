/** Proves that Postgres takes writes. */
import type { Database } from '../../kit/database/pool.ts';

const touchStatement = {
  name: 'prove-write',
  text: 'update market.write_probe set written_at = now()',
};

/**
 * Writes and commits, which is what readiness means. It is one small row, at most once a second and process;
 * the update stays within its page, so it costs neither index nor bloat.
 */
export async function proveWrite(database: Pick<Database, 'query'>): Promise<void> {
  await database.query(touchStatement);
}
