/**
 * Adopts a database that the baseline did not make: the migrations that the baseline stands for made the same schema.
 * Records of those migrations stay, so that processes of the older build start beside the newer ones, and after a return to it.
 */
import type pg from 'pg';
import { Failure } from '../../words/failure.ts';
import { type Checksum, refuseEdited } from './migration-files.ts';
import type { SessionOptions } from './migration-session.ts';

/** The last commit whose `risk migrate` applies the migrations that the baseline stands for. */
const LAST_COMMIT = 'e841d723';

/**
 * Records the baseline as applied in a database that has all migrations it stands for; leaves a new database alone.
 * @throws Failure where one of them is missing, or was applied with another text
 */
export async function adoptBaseline(
  client: pg.Client,
  { market, onProgress }: SessionOptions,
  baseline: Checksum | undefined,
  replaced: readonly Checksum[],
): Promise<void> {
  const { rows } = await client.query<Checksum>(
    `select name, checksum from ${market}.schema_migrations`,
  );
  const applied = new Map(rows.map(({ name, checksum }) => [name, checksum]));
  if (baseline === undefined || applied.size === 0 || applied.has(baseline.name)) return;
  for (const migration of replaced) {
    const checksum = applied.get(migration.name);
    if (checksum === undefined) throw tooOld(market, migration.name);
    refuseEdited(migration, checksum);
  }
  await client.query(`insert into ${market}.schema_migrations (name, checksum) values ($1, $2)`, [
    baseline.name,
    baseline.checksum,
  ]);
  onProgress?.(`${market} has the schema of sql/${baseline.name}, which is recorded as applied`);
}

function tooOld(market: string, missing: string): Failure {
  return new Failure(
    'invalid',
    'MIGRATION_TOO_OLD',
    `${market} lacks the migration ${missing}, which this release no longer has: run \`risk migrate\` of commit ${LAST_COMMIT} first`,
  );
}
