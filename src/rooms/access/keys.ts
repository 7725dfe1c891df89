/** Binds keys and identities to the database for the API. */
import { confirmApiKey, listApiKeys, makeApiKey, revokeApiKey } from '../../kit/access/api-keys.ts';
import { listIdentities, revokeIdentity } from '../../kit/access/identities.ts';
import type { Database } from '../../kit/database/pool.ts';
import type { NewApiKey } from '../../kit/words/identity.ts';
import type { Actor, Officer } from '../../kit/words/principal.ts';

export type Keys = ReturnType<typeof createKeys>;

export function createKeys(database: Database) {
  return {
    makeKey: (key: NewApiKey, by: Actor) => makeApiKey(database, key, by),
    listKeys: (afterKeyId: string, limit: number) => listApiKeys(database, afterKeyId, limit),
    revokeKey: (keyId: string, by: Actor) => revokeApiKey(database, keyId, by),
    listIdentities: (after: string, limit: number) => listIdentities(database, after, limit),
    confirmKey: (keyId: string, by: Officer) => confirmApiKey(database, keyId, by),
    revokeIdentity: (name: string, by: Actor) => revokeIdentity(database, name, by),
  };
}
