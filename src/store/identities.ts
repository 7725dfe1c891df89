/**
 * People. A key that approves is made by one person for another and counts once a second person has confirmed it. The first
 * two who approve are founded by whoever has the database; after them only people make people who approve.
 */

import type { AuditAction } from '../domain/audit.ts';
import { Failure } from '../domain/failure.ts';
import type { StoredIdentity } from '../domain/identity.ts';
import type { Actor, Officer, Role } from '../domain/principal.ts';
import { recordChange } from './audit-log.ts';
import type { Database, Query } from './pool.ts';

/** Approval takes two. */
const FOUNDERS = 2;

const COLUMNS = `identity, roles, created_at as "createdAt", made_by as "madeBy", granted_by as "grantedBy",
                 confirmed_by as "confirmedBy", confirmed_at as "confirmedAt", revoked_at as "revokedAt"`;

const listStatement = {
  name: 'list-identities',
  text: `select ${COLUMNS} from identities where identity > $1 order by identity limit $2`,
};

/** A page of people after a name. */
export async function listIdentities(
  { query }: Pick<Database, 'query'>,
  after: string,
  limit: number,
): Promise<StoredIdentity[]> {
  return await query<StoredIdentity>(listStatement, [after, limit]);
}

const insertStatement = {
  name: 'insert-identity',
  text: `insert into identities (identity, made_by) values ($1, $2) returning ${COLUMNS}`,
};
const grantStatement = {
  name: 'grant-roles',
  text: `update identities set roles = $2, granted_by = $3, confirmed_by = null, confirmed_at = null
          where identity = $1 returning ${COLUMNS}`,
};
const makerStatement = {
  name: 'find-maker',
  text: 'select identity, approver_of(key_id) as approver from api_keys where key_id = $1',
};

/**
 * The person for whom somebody makes a key; made where there is none of this name. A key that approves and that is not made
 * by the person's own suspends what the person approves until a second one has confirmed it.
 * @param approving roles of the key
 * @throws Failure where the maker's key is nobody's
 */
export async function grantIdentity(
  query: Query,
  name: string,
  approving: readonly Role[],
  by: Actor & { readonly keyId: string },
): Promise<StoredIdentity> {
  await query(lockAllStatement);
  const known = (await findLive(query, name)) ?? (await insert(query, name, by));
  if (approving.length === 0) return known;
  const [maker] = await query<{ identity: string | null; approver: string | null }>(
    ...[makerStatement, [by.keyId]],
  );
  if (maker?.approver === known.identity) return known;
  if (maker?.identity == null) {
    refuse(
      `${by.keyId} is the key of nobody: only a person makes keys for ${approving.join(', ')}`,
    );
  }
  const values = [known.identity, approving, by.keyId];
  const granted = only(await query<StoredIdentity>(grantStatement, values));
  await record(query, by, 'identity.grant', known, granted);
  return granted;
}

const confirmStatement = {
  name: 'confirm-identity',
  text: `update identities set confirmed_by = $2, confirmed_at = now()
          where identity = $1 returning ${COLUMNS}`,
};
const sharedStatement = {
  name: 'find-shared-maker',
  text: `select shared_maker($1, $2) as shared`,
};
const madeByStatement = {
  name: 'find-own-line',
  text: `select exists (select from makers_of($1) as m (maker) where maker = $2) as "isBehind"`,
};

/**
 * By a key that may approve, of neither who granted nor who is confirmed, nor of anybody they made.
 * @throws Failure where it is one person's
 */
export async function confirmIdentity(
  database: Pick<Database, 'transaction'>,
  name: string,
  by: Officer,
): Promise<StoredIdentity> {
  return await database.transaction(async (query) => {
    const known = await lockLive(query, name);
    const { identity, roles, confirmedAt, grantedBy } = known;
    if (roles.length === 0 || grantedBy === null) refuse(`nobody has granted ${identity} a role`);
    if (confirmedAt !== null) refuse(`${identity} is confirmed already`);
    await refuseShared({ query }, grantedBy, by.keyId, 'confirm');
    const [line] = await query<{ isBehind: boolean }>(madeByStatement, [by.keyId, identity]);
    if (line?.isBehind !== false) refuse(`${identity} may hold this key: somebody else confirms`);
    const confirmed = only(await query<StoredIdentity>(confirmStatement, [identity, by.keyId]));
    await record(query, by, 'identity.confirm', known, confirmed);
    return confirmed;
  });
}

/**
 * @param firstKey null is refused: nobody knows whose it was
 * @throws Failure `ONE_PERSON` where one person may hold both keys: makers of a key, or of its person, count as its holders
 */
export async function refuseShared(
  { query }: Pick<Database, 'query'>,
  firstKey: string | null,
  secondKey: string,
  what: 'confirm' | 'approve',
): Promise<void> {
  const [row] = await query<{ shared: string | null }>(sharedStatement, [firstKey, secondKey]);
  if (firstKey !== null && row?.shared === null) return;
  const who = row?.shared ?? 'somebody unknown';
  const why = `${who} may hold both keys, as who made one: another person must ${what}`;
  throw new Failure('conflict', 'ONE_PERSON', why);
}

const revokeStatement = {
  name: 'revoke-identity',
  text: `update identities set revoked_at = now() where identity = $1 returning ${COLUMNS}`,
};
const revokeKeysStatement = {
  name: 'revoke-keys-of-identity',
  text: 'update api_keys set revoked_at = now() where identity = $1 and revoked_at is null',
};

/** Takes a person out, with all keys, for ever. @throws Failure `not-found` */
export async function revokeIdentity(
  database: Pick<Database, 'transaction'>,
  name: string,
  by: Actor,
): Promise<StoredIdentity> {
  return await database.transaction(async (query) => {
    const known = await lockLive(query, name);
    await query(revokeKeysStatement, [known.identity]);
    const revoked = only(await query<StoredIdentity>(revokeStatement, [known.identity]));
    await record(query, by, 'identity.revoke', known, revoked);
    return revoked;
  });
}

const lockAllStatement = {
  name: 'lock-identities',
  text: 'lock table identities in share row exclusive mode',
};
const countStatement = {
  name: 'count-approvers',
  text: `select count(*)::int4 as approvers from identities
          where confirmed_at is not null and revoked_at is null`,
};
const foundStatement = {
  name: 'found-identity',
  text: `update identities set roles = $2, confirmed_at = now() where identity = $1 returning ${COLUMNS}`,
};

/**
 * The person for whom whoever has the database makes a key; made where there is none of this name, and one of the first two
 * where the key approves.
 * @throws Failure `FOUNDED` where two approve already
 */
export async function foundIdentity(
  query: Query,
  name: string,
  approving: readonly Role[],
  by: Actor,
): Promise<StoredIdentity> {
  await query(lockAllStatement);
  const known = (await findLive(query, name)) ?? (await insert(query, name, by));
  if (approving.length === 0) return known;
  const [count] = await query<{ approvers: number }>(countStatement);
  if ((count?.approvers ?? FOUNDERS) >= FOUNDERS) {
    const why = `${FOUNDERS} people approve already: they make keys that approve, POST /v1/keys`;
    throw new Failure('conflict', 'FOUNDED', why);
  }
  if (known.confirmedAt !== null) return known;
  const founded = only(await query<StoredIdentity>(foundStatement, [known.identity, approving]));
  await record(query, by, 'identity.confirm', known, founded);
  return founded;
}

async function insert(query: Query, name: string, by: Actor): Promise<StoredIdentity> {
  const made = only(await query<StoredIdentity>(insertStatement, [nameOf(name), by.keyId]));
  await record(query, by, 'identity.create', null, made);
  return made;
}

async function record(
  query: Query,
  by: Actor,
  action: AuditAction,
  before: StoredIdentity | null,
  after: StoredIdentity,
): Promise<void> {
  await recordChange(query, by, { action, subject: after.identity, before, after });
}

const findStatement = {
  name: 'find-identity',
  text: `select ${COLUMNS} from identities where lower(identity) = lower($1)`,
};

async function findLive(query: Query, name: string): Promise<StoredIdentity | undefined> {
  const [known] = await query<StoredIdentity>(findStatement, [nameOf(name)]);
  if (known !== undefined && known.revokedAt !== null) refuse(`${known.identity} is revoked`);
  return known;
}

/** Nobody else changes people until the transaction ends. */
async function lockLive(query: Query, name: string): Promise<StoredIdentity> {
  await query(lockAllStatement);
  const known = await findLive(query, name);
  if (known !== undefined) return known;
  throw new Failure('not-found', 'IDENTITY_UNKNOWN', `there is nobody of the name ${name}`);
}

/** One person, however the name is written. */
function nameOf(name: string): string {
  return name.normalize('NFKC').trim();
}

function only<Row>([row]: readonly Row[]): Row {
  if (row === undefined) throw new Error('a row that was locked is gone');
  return row;
}

function refuse(why: string): never {
  throw new Failure('conflict', 'IDENTITY_REFUSED', why);
}
