/** Stores API keys: SHA-256, roles, client, holder, expiry. A key is revoked, never deleted: its id stays known. */
import { recordChange } from '../audit/audit-log.ts';
import type { Database, Query } from '../database/pool.ts';
import { firstOf, onlyOf, rowsOf, timeColumns } from '../database/statement.ts';
import { Failure } from '../words/failure.ts';
import {
  type Actor,
  isApart,
  type Key,
  type NewApiKey,
  ROLES,
  ROLES_APART,
  type Role,
} from '../words/principal.ts';
import { findOrMake, listPeople, lockPeople } from './identities.ts';

/** People who approve that can be made without a confirmation: an approval takes two. */
const FOUNDERS = 2;

const COLUMNS = `k.key_id, k.roles, k.client, k.owner, k.identity, k.made_by, k.confirmed_by,
                 ${timeColumns('k', 'confirmed_at', 'created_at', 'expires_at', 'revoked_at')}`;

export const insertKey = onlyOf<Key, readonly unknown[]>(
  'insert-api-key',
  `insert into market.api_keys as k (key_id, key_hash, roles, client, owner, identity, expires_at, made_by, confirmed_by,
             confirmed_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, case when $9 then $8 end, case when $9 then now() end)
         returning ${COLUMNS}`,
);

/**
 * Makes a key, and its person where the name is new. An actor without a key has DATABASE_URL, and makes keys for the first two
 * people who approve; later ones are made by a person's key. Roles apart are in force at once where the maker is the same person,
 * may approve and has them, otherwise once a second person has confirmed the approval.
 * @param last runs before the commit, which happens only if `last` succeeds
 * @throws Failure where a role apart would belong to no person, or `by` may not make the key
 */
export async function makeApiKey(
  database: Pick<Database, 'transaction'>,
  key: NewApiKey,
  by: Actor,
  last: (query: Query) => Promise<void> = async () => undefined,
): Promise<Key> {
  const { keyId, keyHash, roles, client, holder, expiresAt } = key;
  return await database.transaction(async (query) => {
    await lockPeople(query);
    const identity =
      'identity' in holder ? (await findOrMake(query, holder.identity, by)).identity : null;
    const owner = 'owner' in holder ? holder.owner : identity;
    const isConfirmed =
      roles.some(isApart) && (await mayConfirmItself(query, { roles, identity, expiresAt }, by));
    const values = [keyId, keyHash, roles, client, owner, identity, expiresAt];
    const made = await insertKey(query, ...values, by.keyId, isConfirmed);
    await recordKey(query, by, made);
    await last(query);
    return made;
  });
}

type Maker = {
  readonly approver: string | null;
  readonly roles: readonly Role[];
  readonly expiresAt: Date | null;
};
const findMaker = onlyOf<Maker, [keyId: string]>(
  'find-maker',
  `select market.approver_of(key_id) as approver, roles, expires_at as "expiresAt"
           from market.api_keys where key_id = $1`,
);

type Wished = Pick<NewApiKey, 'roles' | 'expiresAt'> & { readonly identity: string | null };

/** Whether a key with roles apart needs no confirmation. @throws Failure where `by` may not make it */
async function mayConfirmItself(
  query: Query,
  { roles, identity, expiresAt }: Wished,
  by: Actor,
): Promise<boolean> {
  const apart = roles.filter(isApart);
  if (identity === null) {
    const why = `${apart.join(' and ')} is held by a person: say identity instead of owner`;
    throw new Failure('invalid', 'ROLE_NEEDS_IDENTITY', why);
  }
  if (by.keyId === null) {
    const approvers = (await listPeople(query)).filter((person) =>
      person.roles.includes('risk_officer'),
    );
    if (approvers.length < FOUNDERS) return true;
    const people = approvers.map(({ name }) => name).join(' and ');
    refuse(
      `${people} approve already: one of them sends bin/risk keys issue, another confirms the approval, each with the own key in RISK_API_KEY`,
    );
  }
  const maker = await findMaker(query, by.keyId);
  const isOwn = maker.approver === identity && apart.every((role) => maker.roles.includes(role));
  return isOwn && isWithin(expiresAt, maker.expiresAt);
}

/** A confirmed key vouches for another of the same person until its own end, not beyond. */
function isWithin(expiresAt: Date | null, end: Date | null): boolean {
  return end === null || (expiresAt !== null && expiresAt <= end);
}

function refuse(why: string): never {
  throw new Failure('conflict', 'KEY_REFUSED', why);
}

export async function recordKey(query: Query, by: Actor, made: Key): Promise<void> {
  const change = { action: 'key.create', subject: made.key_id, before: null, after: made } as const;
  await recordChange(query, by, change);
}

type RevokedKey = Pick<Key, 'key_id' | 'revoked_at'>;

async function recordRevoked(
  query: Query,
  by: Actor,
  { key_id: subject, ...after }: RevokedKey,
): Promise<void> {
  const before = { revoked_at: null };
  await recordChange(query, by, { action: 'key.revoke', subject, before, after });
}

/** A bootstrap key has every role that `admin` includes. */
const BOOTSTRAP_ROLES: readonly Role[] = ROLES.filter((role) => !isApart(role));
const BOOTSTRAP_OWNER = 'RISK_BOOTSTRAP_KEY';
/** Hexadecimal digits of the hash in a key id, which tell the ids of two values apart. */
const BOOTSTRAP_ID_DIGITS = 8;

const insertBootstrap = firstOf<Key, readonly unknown[]>(
  'insert-bootstrap-key',
  `insert into market.api_keys as k (key_id, key_hash, roles, owner) values ($1, $2, $3, $4)
         on conflict (key_hash) do nothing returning ${COLUMNS}`,
);
const replaceBootstraps = rowsOf<RevokedKey, [keyId: string]>(
  'revoke-other-bootstrap-keys',
  `update market.api_keys k set revoked_at = now()
          where key_id ~ '^bootstrap[0-9a-f]*$' and key_id <> $1 and revoked_at is null
         returning k.key_id, ${timeColumns('k', 'revoked_at')}`,
);
const readBootstrap = firstOf<{ revoked: boolean }, [keyHash: Buffer]>(
  'read-bootstrap-key',
  'select revoked_at is not null as revoked from market.api_keys where key_hash = $1',
);

/** A key in force that a new bootstrap key would revoke. */
export const findOtherBootstrap = firstOf<{ key_id: string }, [keyHash: Buffer]>(
  'find-other-bootstrap-key',
  `select key_id from market.api_keys
    where key_id ~ '^bootstrap[0-9a-f]*$' and key_hash <> $1 and revoked_at is null limit 1`,
);

/**
 * Stores a configured value as a key of its own. A value that is seen for the first time revokes the earlier ones; a value
 * that was revoked or replaced stays revoked, although a process still starts with it.
 * @returns whether the key is in force
 */
export async function storeBootstrapKey(
  database: Pick<Database, 'transaction'>,
  keyHash: Buffer,
  request: string,
): Promise<boolean> {
  const by: Actor = { name: BOOTSTRAP_OWNER, keyId: null, request };
  return await database.transaction(async (query) => {
    const keyId = `bootstrap${keyHash.toString('hex').slice(0, BOOTSTRAP_ID_DIGITS)}`;
    const made = await insertBootstrap(query, keyId, keyHash, BOOTSTRAP_ROLES, BOOTSTRAP_OWNER);
    if (made !== undefined) {
      // Where two values are new at once, the later one sees the earlier one and replaces it.
      await lockPeople(query);
      for (const replaceBootstrap of await replaceBootstraps(query, keyId))
        await recordRevoked(query, by, replaceBootstrap);
      await recordKey(query, by, made);
    }
    return (await readBootstrap(query, keyHash))?.revoked === false;
  });
}

/** Columns that a lookup reads of a key `k`; $2 are the roles apart, left out until the key is confirmed. */
export const LIVE_COLUMNS = `k.key_id as "keyId", k.client, k.owner, k.identity,
                array(select role from unnest(k.roles) as r (role)
                       where role <> all ($2::text[]) or k.confirmed_at is not null) as roles`;
/** A key `k` that is neither revoked nor expired. */
export const IS_LIVE = 'k.revoked_at is null and (k.expires_at is null or k.expires_at > now())';

const findLive = firstOf<LiveApiKey, [keyHash: Buffer, apart: readonly Role[]]>(
  'find-live-api-key',
  `select k.key_hash as "keyHash", ${LIVE_COLUMNS} from market.api_keys k
          where k.key_hash = $1 and ${IS_LIVE}`,
);

export type LiveApiKey = Pick<Key, 'roles' | 'client' | 'owner' | 'identity'> & {
  readonly keyId: string;
  readonly keyHash: Buffer;
};

/** Finds a key that is neither revoked nor expired; until it is confirmed, its roles apart are left out. */
export const findLiveApiKey = ({ query }: Pick<Database, 'query'>, keyHash: Buffer) =>
  findLive(query, keyHash, ROLES_APART);

/** A page of keys after a key id. */
export const listApiKeys = rowsOf<Key, [afterKeyId: string, limit: number]>(
  'list-api-keys',
  `select ${COLUMNS} from market.api_keys k where key_id > $1 order by key_id limit $2`,
);

const revoke = firstOf<RevokedKey, [keyId: string]>(
  'revoke-api-key',
  `update market.api_keys k set revoked_at = now() where key_id = $1 and revoked_at is null
         returning k.key_id, ${timeColumns('k', 'revoked_at')}`,
);
const findKnown = rowsOf<object, [keyId: string]>(
  'find-api-key',
  'select from market.api_keys where key_id = $1',
);

/** True when the key exists; revoking it again changes nothing. */
export async function revokeApiKey(
  database: Pick<Database, 'transaction'>,
  keyId: string,
  by: Actor,
): Promise<boolean> {
  return await database.transaction(async (query) => {
    const revoked = await revoke(query, keyId);
    if (revoked !== undefined) await recordRevoked(query, by, revoked);
    return revoked !== undefined || (await findKnown(query, keyId)).length > 0;
  });
}
