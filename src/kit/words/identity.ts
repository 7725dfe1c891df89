/** People who own keys, as the store and the API have them. */
import type { Role } from './principal.ts';

export type StoredIdentity = {
  readonly identity: string;
  readonly createdAt: Date;
  /** Key id; null where it was made with DATABASE_URL. */
  readonly madeBy: string | null;
  readonly revokedAt: Date | null;
};

export type StoredApiKey = {
  readonly keyId: string;
  readonly roles: readonly Role[];
  readonly client: string;
  readonly owner: string;
  readonly identity: string | null;
  /** Key id; null where it was made with DATABASE_URL. */
  readonly madeBy: string | null;
  readonly confirmedBy: string | null;
  /** From this time on the key's approving roles are in force. */
  readonly confirmedAt: Date | null;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
};

export type NewApiKey = Pick<StoredApiKey, 'keyId' | 'roles' | 'client' | 'expiresAt'> & {
  readonly keyHash: Buffer;
  /** A person, who is created where the name is new, or an owner as free text. */
  readonly holder: { readonly identity: string } | { readonly owner: string };
};
