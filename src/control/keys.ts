/** Binds keys, identities and the audit log to the database for the API. */
import type { AuditParameters } from '../domain/audit.ts';
import type { NewApiKey } from '../domain/identity.ts';
import type { Actor, Officer } from '../domain/principal.ts';
import { confirmApiKey, listApiKeys, makeApiKey, revokeApiKey } from '../store/access/api-keys.ts';
import { readAuditLog } from '../store/access/audit-log.ts';
import { listIdentities, revokeIdentity } from '../store/access/identities.ts';
import type { Database } from '../store/database/pool.ts';

export type Keys = ReturnType<typeof createKeys>;

export function createKeys(database: Database) {
  return {
    makeKey: (key: NewApiKey, by: Actor) => makeApiKey(database, key, by),
    listKeys: (afterKeyId: string, limit: number) => listApiKeys(database, afterKeyId, limit),
    revokeKey: (keyId: string, by: Actor) => revokeApiKey(database, keyId, by),
    listIdentities: (after: string, limit: number) => listIdentities(database, after, limit),
    confirmKey: (keyId: string, by: Officer) => confirmApiKey(database, keyId, by),
    readAudit: (parameters: AuditParameters) =>
      readAuditLog(database, parameters, parameters.limit),
    revokeIdentity: (name: string, by: Actor) => revokeIdentity(database, name, by),
  };
}
