/**
 * Makes months in a schema without an audit log; the table exists only while the engine's function writes to
 * it.
 */
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import type { TestDatabase } from './database.ts';

export async function makeMonthsAsBefore(
  { sql }: Pick<TestDatabase, 'sql'>,
  database: Database,
  timesMs: readonly number[],
): Promise<void> {
  await sql(`create table audit_log (audit_id bigint, who text, key_id text, action text, subject text,
                                     before jsonb, after jsonb, request text)`);
  await ensurePartitions(database, timesMs.map(monthOf));
  await sql('drop table audit_log');
}
