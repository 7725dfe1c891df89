/** The key that `npm start` gives its API must be in force, and must not end that of another engine unasked. */
import { apiKeyHash } from '../../kit/access/api-key.ts';
import { otherBootstrapKey } from '../../kit/access/api-keys.ts';
import type { CommandContext } from '../../kit/command/command.ts';
import { openDatabase } from '../../kit/database/open-database.ts';
import { Failure } from '../../kit/words/failure.ts';
import { shortPath } from './screen.ts';

/** @throws Failure where the key of this data folder would revoke that of another engine, which may be running */
export async function refuseOtherKey({ config }: CommandContext, databaseUrl: string, key: string) {
  await using database = openDatabase(config, databaseUrl, 'start', { connectionsMax: 1 });
  const other = await otherBootstrapKey(database, apiKeyHash(key));
  if (other === undefined) return;
  throw new Failure(
    'invalid',
    'KEY_OF_ANOTHER',
    `another engine has the key ${other} in the database of DATABASE_URL: set RISK_BOOTSTRAP_KEY to that key, or to a new one, which revokes it; or unset DATABASE_URL for a Postgres of its own`,
  );
}

/** @throws Failure if the database revokes the key, because another engine has set another RISK_BOOTSTRAP_KEY there */
export async function insistOnKey(
  url: string,
  key: string,
  keyFile: string | null,
  signal: AbortSignal,
) {
  const headers = { Authorization: `Bearer ${key}` };
  const { status } = await fetch(`${url}/v1/me`, { headers, signal });
  if (status !== 401) return;
  const from = keyFile === null ? 'RISK_BOOTSTRAP_KEY' : shortPath(keyFile);
  throw new Failure(
    'invalid',
    'KEY_REVOKED',
    `the key of ${from} is revoked in this database: set RISK_BOOTSTRAP_KEY to the key in force there or to a new one, which revokes that key; where DATABASE_URL is set, unset it for a Postgres of its own`,
  );
}
