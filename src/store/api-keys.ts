/** API keys: SHA-256, roles, client, owner, expiry. A key is revoked, never deleted: its id stays known. */
import { ROLES, type Role } from '../domain/principal.ts';
import type { Database } from './pool.ts';

export type NewApiKey = {
  readonly keyId: string;
  readonly keyHash: Buffer;
  readonly roles: readonly Role[];
  readonly client: string;
  readonly owner: string;
  readonly expiresAt: Date | null;
};

export type StoredApiKey = {
  readonly keyId: string;
  readonly roles: readonly Role[];
  readonly client: string;
  readonly owner: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
};

type Queries = Pick<Database, 'query'>;

const insertStatement = {
  name: 'insert-api-key',
  text: `insert into api_keys (key_id, key_hash, roles, client, owner, expires_at)
         values ($1, $2, $3, $4, $5, $6)`,
};

export async function insertApiKey(database: Queries, key: NewApiKey): Promise<void> {
  const { keyId, keyHash, roles, client, owner, expiresAt } = key;
  await database.query(insertStatement, [keyId, keyHash, roles, client, owner, expiresAt]);
}

/** Key id of the key that RISK_BOOTSTRAP_KEY names. */
const BOOTSTRAP_KEY_ID = 'bootstrap';

const upsertBootstrapStatement = {
  name: 'upsert-bootstrap-key',
  text: `insert into api_keys (key_id, key_hash, roles, owner)
         values ($1, $2, $3, 'RISK_BOOTSTRAP_KEY')
         on conflict (key_id) do update
           set key_hash = excluded.key_hash, roles = excluded.roles, revoked_at = null, expires_at = null
         where api_keys.key_hash <> excluded.key_hash or api_keys.revoked_at is not null`,
};

/** The configured key has every role; a new value replaces the old one. */
export async function upsertBootstrapKey(database: Queries, keyHash: Buffer): Promise<void> {
  await database.query(upsertBootstrapStatement, [BOOTSTRAP_KEY_ID, keyHash, ROLES]);
}

const findStatement = {
  name: 'find-live-api-key',
  text: `select key_id as "keyId", key_hash as "keyHash", roles, client, owner
           from api_keys
          where key_hash = $1 and revoked_at is null and (expires_at is null or expires_at > now())`,
};

export type LiveApiKey = Pick<StoredApiKey, 'keyId' | 'roles' | 'client' | 'owner'> & {
  readonly keyHash: Buffer;
};

/** A key that is neither revoked nor expired. */
export async function findLiveApiKey(
  database: Queries,
  keyHash: Buffer,
): Promise<LiveApiKey | undefined> {
  const [row] = await database.query<LiveApiKey>(findStatement, [keyHash]);
  return row;
}

const listStatement = {
  name: 'list-api-keys',
  text: `select key_id as "keyId", roles, client, owner, created_at as "createdAt",
                expires_at as "expiresAt", revoked_at as "revokedAt"
           from api_keys
          where key_id > $1
          order by key_id
          limit $2`,
};

/** A page of keys after a key id. */
export async function listApiKeys(
  database: Queries,
  afterKeyId: string,
  limit: number,
): Promise<StoredApiKey[]> {
  return await database.query<StoredApiKey>(listStatement, [afterKeyId, limit]);
}

const revokeStatement = {
  name: 'revoke-api-key',
  text: `update api_keys set revoked_at = coalesce(revoked_at, now())
          where key_id = $1
         returning key_id`,
};

/** True when the key exists; revoking it again changes nothing. */
export async function revokeApiKey(database: Queries, keyId: string): Promise<boolean> {
  return (await database.query(revokeStatement, [keyId])).length > 0;
}
