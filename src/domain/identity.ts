/** People who own keys, as the store and the API have them. */
import type { Role } from './principal.ts';

export type StoredIdentity = {
  readonly identity: string;
  readonly createdAt: Date;
  /** Key id; null: whoever had the database. */
  readonly madeBy: string | null;
  readonly revokedAt: Date | null;
};

export type StoredApiKey = {
  readonly keyId: string;
  readonly roles: readonly Role[];
  readonly client: string;
  readonly owner: string;
  readonly identity: string | null;
  /** Key id; null: whoever had the database. */
  readonly madeBy: string | null;
  readonly confirmedBy: string | null;
  /** Roles that approve count from here on. */
  readonly confirmedAt: Date | null;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
};

export type NewApiKey = Pick<StoredApiKey, 'keyId' | 'roles' | 'client' | 'expiresAt'> & {
  readonly keyHash: Buffer;
  /** A person, made where there is none of this name, or an owner in words. */
  readonly holder: { readonly identity: string } | { readonly owner: string };
};
