/** API keys: SHA-256, roles, client, holder, expiry. A key is revoked, never deleted: its id stays known. */
import { Failure } from '../domain/failure.ts';
import type { NewApiKey, StoredApiKey } from '../domain/identity.ts';
import { type Actor, APPROVING_ROLES, approves, ROLES, type Role } from '../domain/principal.ts';
import { recordChange } from './audit-log.ts';
import { foundIdentity, grantIdentity } from './identities.ts';
import type { Database, Query } from './pool.ts';

const COLUMNS = `key_id as "keyId", roles, client, owner, identity, made_by as "madeBy", created_at as "createdAt",
                 expires_at as "expiresAt", revoked_at as "revokedAt"`;

const insertStatement = {
  name: 'insert-api-key',
  text: `insert into api_keys (key_id, key_hash, roles, client, owner, identity, expires_at, made_by)
         values ($1, $2, $3, $4, $5, $6, $7, $8) returning ${COLUMNS}`,
};

/**
 * A person who does not exist is made. Without a key of its own, `by` is whoever has the database.
 * @throws Failure where the key would approve as nobody, or as somebody whom `by` may not make
 */
export async function makeApiKey(
  database: Pick<Database, 'transaction'>,
  key: NewApiKey,
  by: Actor,
): Promise<StoredApiKey> {
  const { keyId, keyHash, roles, client, holder, expiresAt } = key;
  return await database.transaction(async (query) => {
    const identity = await findHolder(query, key, by);
    const owner = 'owner' in holder ? holder.owner : identity;
    const values = [keyId, keyHash, roles, client, owner, identity, expiresAt, by.keyId];
    const [made] = await query<StoredApiKey>(insertStatement, values);
    if (made === undefined) throw new Error('an inserted key is gone');
    await recordKey(query, by, made);
    return made;
  });
}

async function recordKey(query: Query, by: Actor, made: StoredApiKey): Promise<void> {
  const change = { action: 'key.create', subject: made.keyId, before: null, after: made } as const;
  await recordChange(query, by, change);
}

type RevokedKey = Pick<StoredApiKey, 'keyId' | 'revokedAt'>;

async function recordRevoked(
  query: Query,
  by: Actor,
  { keyId: subject, revokedAt }: RevokedKey,
): Promise<void> {
  const before = { revokedAt: null };
  await recordChange(query, by, { action: 'key.revoke', subject, before, after: { revokedAt } });
}

async function findHolder(
  query: Query,
  { holder, roles }: NewApiKey,
  by: Actor,
): Promise<string | null> {
  const approving = roles.filter(approves);
  if ('identity' in holder) {
    const { keyId, ...rest } = by;
    const { identity } = await (keyId === null
      ? foundIdentity(query, holder.identity, approving, by)
      : grantIdentity(query, holder.identity, approving, { keyId, ...rest }));
    return identity;
  }
  if (approving.length === 0) return null;
  const why = `${approving.join(', ')} is held by a person: say identity instead of owner`;
  throw new Failure('invalid', 'ROLE_NEEDS_IDENTITY', why);
}

/** Bootstrap keys may do everything but approve. */
const BOOTSTRAP_ROLES: readonly Role[] = ROLES.filter((role) => !approves(role));
const BOOTSTRAP_OWNER = 'RISK_BOOTSTRAP_KEY';
/** In hexadecimal digits of the hash, which tell one value's id from another's. */
const BOOTSTRAP_ID_DIGITS = 8;

const bootstrapStatement = {
  name: 'insert-bootstrap-key',
  text: `insert into api_keys (key_id, key_hash, roles, owner) values ($1, $2, $3, $4)
         on conflict (key_hash) do nothing returning ${COLUMNS}`,
};
const replaceBootstrapStatement = {
  name: 'revoke-other-bootstrap-keys',
  text: `update api_keys set revoked_at = now()
          where key_id ~ '^bootstrap[0-9a-f]*$' and key_id <> $1 and revoked_at is null
         returning key_id as "keyId", revoked_at as "revokedAt"`,
};
const readBootstrapStatement = {
  name: 'read-bootstrap-key',
  text: 'select revoked_at is not null as revoked from api_keys where key_hash = $1',
};

/**
 * Each configured value is a key of its own, which replaces those before it when it is first seen. One that was revoked or
 * replaced stays revoked, whoever still starts with it.
 * @returns whether it works
 */
export async function storeBootstrapKey(
  database: Pick<Database, 'transaction'>,
  keyHash: Buffer,
  request: string,
): Promise<boolean> {
  const by: Actor = { name: BOOTSTRAP_OWNER, keyId: null, request };
  return await database.transaction(async (query) => {
    const keyId = `bootstrap${keyHash.toString('hex').slice(0, BOOTSTRAP_ID_DIGITS)}`;
    const values = [keyId, keyHash, BOOTSTRAP_ROLES, BOOTSTRAP_OWNER];
    const [made] = await query<StoredApiKey>(bootstrapStatement, values);
    if (made !== undefined) {
      const replaced = await query<RevokedKey>(replaceBootstrapStatement, [keyId]);
      for (const one of replaced) await recordRevoked(query, by, one);
      await recordKey(query, by, made);
    }
    const [row] = await query<{ revoked: boolean }>(readBootstrapStatement, [keyHash]);
    return row?.revoked === false;
  });
}

const findStatement = {
  name: 'find-live-api-key',
  text: `select k.key_id as "keyId", k.key_hash as "keyHash", k.client, k.owner, k.identity,
                array(select role from unnest(k.roles) as r (role)
                       where role <> all ($2::text[])
                          or (role = any (i.roles) and i.confirmed_at is not null)) as roles
           from api_keys k left join identities i on i.identity = k.identity
          where k.key_hash = $1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())`,
};

export type LiveApiKey = Pick<StoredApiKey, 'keyId' | 'roles' | 'client' | 'owner' | 'identity'> & {
  readonly keyHash: Buffer;
};

/** A key that is neither revoked nor expired; of the roles that approve those that its person holds. */
export async function findLiveApiKey(
  database: Pick<Database, 'query'>,
  keyHash: Buffer,
): Promise<LiveApiKey | undefined> {
  const [row] = await database.query<LiveApiKey>(findStatement, [keyHash, APPROVING_ROLES]);
  return row;
}

const listStatement = {
  name: 'list-api-keys',
  text: `select ${COLUMNS} from api_keys where key_id > $1 order by key_id limit $2`,
};

/** A page of keys after a key id. */
export async function listApiKeys(
  database: Pick<Database, 'query'>,
  afterKeyId: string,
  limit: number,
): Promise<StoredApiKey[]> {
  return await database.query<StoredApiKey>(listStatement, [afterKeyId, limit]);
}

const revokeStatement = {
  name: 'revoke-api-key',
  text: `update api_keys set revoked_at = now() where key_id = $1 and revoked_at is null
         returning key_id as "keyId", revoked_at as "revokedAt"`,
};
const knownStatement = {
  name: 'find-api-key',
  text: 'select from api_keys where key_id = $1',
};

/** True when the key exists; revoking it again changes nothing. */
export async function revokeApiKey(
  database: Pick<Database, 'transaction'>,
  keyId: string,
  by: Actor,
): Promise<boolean> {
  return await database.transaction(async (query) => {
    const [revoked] = await query<RevokedKey>(revokeStatement, [keyId]);
    if (revoked !== undefined) await recordRevoked(query, by, revoked);
    return revoked !== undefined || (await query(knownStatement, [keyId])).length > 0;
  });
}
