/**
 * Logins by a provider of identities. Each login has a key whose secret nobody has, and sessions of that key. The key belongs to
 * the person of the login's name; without such a person the key has no role apart.
 */
import { mintApiKey } from '../../../kit/access/api-key.ts';
import { insertKey, recordKey, revokeApiKey } from '../../../kit/access/api-keys.ts';
import { findPerson, lockPeople, nameOf } from '../../../kit/access/identities.ts';
import { beginSession } from '../../../kit/access/sessions.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { firstOf, rowsOf } from '../../../kit/database/statement.ts';
import { Failure } from '../../../kit/words/failure.ts';
import {
  engineOf,
  foldName,
  isApart,
  type Key,
  type Officer,
  type Role,
} from '../../../kit/words/principal.ts';
import type { NewSession } from '../../../kit/words/session.ts';

export type ProviderLogin = {
  readonly issuer: string;
  readonly subject: string;
  readonly name: string;
  /** Roles that the claim gives. */
  readonly roles: readonly Role[];
};

const CLIENT = 'default';

const findBound = firstOf<{ keyId: string | null }, [issuer: string, subject: string]>(
  'find-provider-login',
  'select key_id as "keyId" from market.provider_logins where issuer = $1 and subject = $2',
);
const findHolder = firstOf<{ subject: string }, [issuer: string, folded: string]>(
  'find-holder-of-name',
  'select subject from market.provider_logins where issuer = $1 and folded = $2',
);
const bind = rowsOf<object, [...(readonly string[]), keyId: string | null]>(
  'bind-provider-login',
  `insert into market.provider_logins (issuer, subject, name, folded, key_id) values ($1, $2, $3, $4, $5)
       on conflict (issuer, subject) do update set name = excluded.name, folded = excluded.folded, key_id = excluded.key_id`,
);
const findInForce = firstOf<Pick<Key, 'roles' | 'identity' | 'owner'>, [keyId: string]>(
  'find-key-of-provider-login',
  'select roles, identity, owner from market.api_keys where key_id = $1 and revoked_at is null',
);

const refuse = (code: string, why: string) => new Failure('conflict', code, why);

/**
 * Begins a session, and ends those of a key that has other roles than the claim gives now.
 * @param last runs before the commit, as the person who logs in
 * @throws Failure where the claim gives no role, the name is another subject's, or the person or key was revoked
 */
export async function logInByProvider(
  database: Pick<Database, 'transaction'>,
  login: ProviderLogin,
  session: NewSession,
  request: string,
  last: (query: Query, by: Officer) => Promise<unknown>,
): Promise<void> {
  const hasBegun = await database.transaction(async (query) => {
    const within = inTransaction(query);
    await lockPeople(query);
    const found = await keyFor(query, login, request);
    if (found === undefined) return false;
    await beginSession(within, { session, keyId: found.keyId, linkHash: null }, found);
    await last(query, found);
    return true;
  });
  // The transaction has revoked the key of an earlier login.
  if (!hasBegun) throw refuse('NO_ROLE', `${login.name} has no role here`);
}

const inTransaction = (query: Query): Pick<Database, 'transaction'> => ({
  transaction: (work) => work(query),
});

/** The key of a login, replaced where its roles have changed; undefined where the login has no role. */
async function keyFor(
  query: Query,
  { issuer, subject, name: said, roles: given }: ProviderLogin,
  request: string,
): Promise<Officer | undefined> {
  const name = nameOf(said);
  const folded = foldName(name);
  const holder = await findHolder(query, issuer, folded);
  if (holder !== undefined && holder.subject !== subject) {
    throw refuse('NAME_TAKEN', `${name} is the name of somebody else at the provider`);
  }
  const person = await findPerson(query, name);
  const identity = person?.identity ?? null;
  const owner = identity ?? name;
  const who = identity ?? `key of ${owner}`;
  const roles = given.filter((role) => identity !== null || !isApart(role)).toSorted();
  const oldId = (await findBound(query, issuer, subject))?.keyId ?? null;
  const old = oldId === null ? undefined : await findInForce(query, oldId);
  if (oldId !== null && old === undefined) {
    throw refuse('KEY_REVOKED', `the key ${oldId} of ${name} was revoked`);
  }
  const isSame =
    old?.owner === owner &&
    old.identity === identity &&
    old.roles.toSorted().join() === roles.join();
  if (oldId !== null && isSame) return { keyId: oldId, name: who, request };
  const by = engineOf(request);
  if (oldId !== null) await revokeApiKey(inTransaction(query), oldId, by);
  if (roles.length === 0) {
    if (oldId !== null) await bind(query, issuer, subject, name, folded, null);
    return undefined;
  }
  const { keyId, keyHash } = mintApiKey();
  const ofKey = [keyId, keyHash, roles, CLIENT, owner, identity, null] as const;
  // The maker of the person counts as a holder of the key.
  const made = await insertKey(query, ...ofKey, person?.made_by ?? null, false);
  await recordKey(query, by, made);
  await bind(query, issuer, subject, name, folded, keyId);
  return { keyId, name: who, request };
}
