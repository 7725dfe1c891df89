/** People who own keys, as the store and the API have them. */
import type { Role } from './principal.ts';

export type StoredIdentity = {
  readonly identity: string;
  /** Roles that approve; they count from `confirmedAt` on. */
  readonly roles: readonly Role[];
  readonly createdAt: Date;
  /** Key ids; null: whoever had the database. */
  readonly madeBy: string | null;
  readonly grantedBy: string | null;
  readonly confirmedBy: string | null;
  readonly confirmedAt: Date | null;
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
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
};

export type NewApiKey = Pick<StoredApiKey, 'keyId' | 'roles' | 'client' | 'expiresAt'> & {
  readonly keyHash: Buffer;
  /** A person, made where there is none of this name, or an owner in words. */
  readonly holder: { readonly identity: string } | { readonly owner: string };
};
