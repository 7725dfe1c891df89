/** Keys of people, written by whoever has the database: tests need more than the first two, whom the engine founds. */
import { approves, type Role } from '../../src/domain/principal.ts';
import { mintApiKey } from '../../src/runtime/api-key.ts';
import type { TestDatabase } from './database.ts';

/** @returns the key of a person who is confirmed where a role approves; made where there is none of this name */
export async function insertPersonKey(
  { sql }: Pick<TestDatabase, 'sql'>,
  identity: string,
  roles: readonly Role[],
): Promise<string> {
  const { keyId, key, keyHash } = mintApiKey();
  const approving = roles.filter(approves);
  await sql(
    `insert into identities (identity, roles, confirmed_at)
     values ($1, $2::text[], case when cardinality($2::text[]) > 0 then now() end) on conflict do nothing`,
    [identity, approving],
  );
  await sql(
    `insert into api_keys (key_id, key_hash, roles, owner, identity) values ($1, $2, $3, $4, $4)`,
    [keyId, keyHash, roles, identity],
  );
  return key;
}
