/** Writes keys of people straight into the database: tests need more people than the two that `risk keys` makes. */
import { mintApiKey } from '../../src/kit/access/api-key.ts';
import { foldName, isApart, type Role } from '../../src/kit/words/principal.ts';
import type { TestDatabase } from './database.ts';

/** Makes a key, confirmed where a role needs that, and its person where the name is new. @returns the key */
export async function insertPersonKey(
  { sql }: Pick<TestDatabase, 'sql'>,
  identity: string,
  roles: readonly Role[],
): Promise<string> {
  const { keyId, key, keyHash } = mintApiKey();
  const person = [identity, foldName(identity)];
  await sql(
    'insert into identities (identity, folded) values ($1, $2) on conflict do nothing',
    person,
  );
  await sql(
    `insert into api_keys (key_id, key_hash, roles, owner, identity, confirmed_at)
     values ($1, $2, $3, $4, $4, case when $5 then now() end)`,
    [keyId, keyHash, roles, identity, roles.some(isApart)],
  );
  return key;
}
