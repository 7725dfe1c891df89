/** People who own keys. A person is made with the first key of the person (api-keys.ts). */
import { recordChange } from '../audit/audit-log.ts';
import type { Database, Query } from '../database/pool.ts';
import { firstOf, onlyOf, rowsOf, timeColumns } from '../database/statement.ts';
import { Failure } from '../words/failure.ts';
import { isPathStep } from '../words/plain-text.ts';
import { type Actor, ENGINE, foldName, type Identity, type Role } from '../words/principal.ts';

const COLUMNS = `i.identity, i.made_by, ${timeColumns('i', 'created_at', 'revoked_at')}`;

/** A page of people after a name. */
export const listIdentities = rowsOf<Identity, [after: string, limit: number]>(
  'list-identities',
  `select ${COLUMNS} from market.identities i where i.identity > $1 order by i.identity limit $2`,
);

/** Keeps other database transactions from changing people and approvers until the end of the own one. */
export const lockPeople = rowsOf(
  'lock-identities',
  'lock table market.identities in share row exclusive mode',
);

const insert = onlyOf<Identity, [identity: string, folded: string, keyId: string | null]>(
  'insert-identity',
  `insert into market.identities as i (identity, folded, made_by) values ($1, $2, $3) returning ${COLUMNS}`,
);

/** Finds the person of a name, or makes one where the name is new. Requires `lockPeople`. */
export async function findOrMake(query: Query, name: string, by: Actor): Promise<Identity> {
  const known = await findPerson(query, name);
  if (known !== undefined) return known;
  const identity = nameOf(name);
  const made = await insert(query, identity, foldName(identity), by.keyId);
  const change = { action: 'identity.create', subject: made.identity, before: null } as const;
  await recordChange(query, by, { ...change, after: made });
  return made;
}

const holdLive = rowsOf<object, [identity: string]>(
  'hold-person',
  'select from market.identities where identity = $1 and revoked_at is null for share',
);

/** Whether somebody has this name, as it is written; they are revoked only once the database transaction has ended. */
export async function holdPerson(query: Query, name: string): Promise<boolean> {
  return (await holdLive(query, name)).length > 0;
}

type Person = { readonly name: string; readonly roles: readonly Role[] };
/** People with the roles that keys in force give them. */
export const listPeople = rowsOf<Person>(
  'list-people',
  `select identity as name, array_agg(distinct role) as roles
     from market.api_keys k join market.identities i using (identity), unnest(k.roles) as role
    where k.revoked_at is null and i.revoked_at is null and (expires_at is null or expires_at > now())
      and (role <> 'risk_officer' or confirmed_at is not null)
    group by identity order by identity`,
);

const findShared = onlyOf<{ shared: string | null }, [firstKey: string | null, secondKey: string]>(
  'find-shared-maker',
  `select market.shared_maker($1, $2) as shared`,
);

/**
 * @param firstKey null is refused: its holder is not on record
 * @param secondKey is checked again here: it may have been revoked since the request was authenticated
 * @throws Failure `ONE_PERSON` where one person may hold both keys: makers of a key, or of its person, count as its holders
 */
export async function refuseShared(
  { query }: Pick<Database, 'query'>,
  firstKey: string | null,
  secondKey: string,
): Promise<void> {
  await refuseStale({ query }, secondKey);
  const { shared } = await findShared(query, firstKey, secondKey);
  if (firstKey !== null && shared === null) return;
  const who = shared ?? 'somebody unknown';
  const why = `${who} may hold both keys, as who made one: another person must confirm`;
  throw new Failure('conflict', 'ONE_PERSON', why);
}

const holdKey = rowsOf<object, [keyId: string]>(
  'hold-api-key',
  'select from market.api_keys where key_id = $1 for share',
);
const findApprover = onlyOf<{ approver: string | null }, [keyId: string]>(
  'find-approver',
  'select market.approver_of($1) as approver',
);

/**
 * Keeps the key from being revoked until the end of the database transaction, so that its decision is recorded
 * before its revocation.
 * @throws Failure `NOT_AN_OFFICER` where a key may no longer approve
 */
export async function refuseStale({ query }: Pick<Database, 'query'>, key: string): Promise<void> {
  // A separate statement, as one that waits for a revocation would still see the rows from before it.
  await holdKey(query, key);
  if ((await findApprover(query, key)).approver !== null) return;
  throw new Failure('conflict', 'NOT_AN_OFFICER', `the key ${key} may no longer approve`);
}

const revoke = onlyOf<Identity, [identity: string]>(
  'revoke-identity',
  `update market.identities i set revoked_at = now() where identity = $1 returning ${COLUMNS}`,
);
/** A login by a provider from before the person was made has a key with the name alone. */
const revokeKeys = rowsOf<{ keyId: string }, [identity: string]>(
  'revoke-keys-of-identity',
  `update market.api_keys set revoked_at = now()
    where revoked_at is null and (identity = $1 or key_id in (
      select l.key_id from market.provider_logins l join market.identities i using (folded) where i.identity = $1))
   returning key_id as "keyId"`,
);

const unassignCases = rowsOf<{ transactionId: string }, [identity: string]>(
  'unassign-cases-of-identity',
  `update market.review_cases set assignee = null where assignee = $1 and state <> 'closed'
         returning transaction_id as "transactionId"`,
);

/** Revokes a person and all of their keys for good; their review cases are anybody's. @throws Failure `not-found` */
export async function revokeIdentity(
  database: Pick<Database, 'transaction'>,
  name: string,
  by: Actor,
): Promise<Identity> {
  return await database.transaction(async (query) => {
    await lockPeople(query);
    const before = await findPerson(query, name);
    if (before === undefined) {
      throw new Failure('not-found', 'IDENTITY_UNKNOWN', `no person has the name '${name}'`);
    }
    // A step holds whom it names, then its case, then the key of who takes it.
    const revoked = await revoke(query, before.identity);
    const cases = await unassignCases(query, before.identity);
    const keys = await revokeKeys(query, before.identity);
    const after = {
      ...revoked,
      keys: keys.map(({ keyId }) => keyId),
      unassigned: cases.map(({ transactionId }) => transactionId),
    };
    const change = { action: 'identity.revoke', subject: revoked.identity, before, after } as const;
    await recordChange(query, by, change);
    return revoked;
  });
}

const find = firstOf<Identity, [folded: string]>(
  'find-identity',
  `select ${COLUMNS} from market.identities i where i.folded = $1`,
);

/** The person of a name; undefined where nobody has it. @throws Failure for a revoked person, and a reserved name */
export async function findPerson(query: Query, name: string): Promise<Identity | undefined> {
  const known = await find(query, foldName(nameOf(name)));
  if (known === undefined || known.revoked_at === null) return known;
  throw new Failure('conflict', 'IDENTITY_REVOKED', `the person '${known.identity}' is revoked`);
}

/** Names that the audit log uses for keys and roles without a person, and characters that nobody sees. */
const NOT_A_PERSON = /^(key|database role) |[\p{Cf}\p{DI}]/iu;

/**
 * Normalises a name, so that its spellings look alike.
 * @throws Failure for a name that is reserved
 */
export function nameOf(name: string): string {
  const identity = name.normalize('NFKC').trim().replaceAll(/\s+/g, ' ');
  const isName = identity !== '' && !isPathStep(identity) && foldName(identity) !== ENGINE;
  if (isName && !NOT_A_PERSON.test(identity)) return identity;
  throw new Failure('invalid', 'IDENTITY_NAME', `the identity '${name}' cannot be a person's name`);
}
