/** People who own keys, as the store and the API have them. */
import { z } from 'zod';
import { ROLES, type Role } from './principal.ts';

const time = z.iso.datetime();
const madeBy = z.string().nullable().meta({ description: 'Key id; null: made by DATABASE_URL.' });

export const identitySchema = z
  .object({
    identity: z.string(),
    created_at: time,
    made_by: madeBy,
    revoked_at: time.nullable(),
  })
  .meta({ id: 'Identity' });
export type Identity = z.infer<typeof identitySchema>;

export const keySchema = z
  .object({
    key_id: z.string(),
    roles: z.array(z.enum(ROLES)),
    client: z.string(),
    owner: z.string(),
    identity: z.string().nullable(),
    made_by: madeBy,
    confirmed_by: z.string().nullable(),
    confirmed_at: time.nullable().meta({
      description: 'From this time on its roles that approve are in force.',
    }),
    created_at: time,
    expires_at: time.nullable(),
    revoked_at: time.nullable(),
  })
  .meta({ id: 'Key' });
export type Key = z.infer<typeof keySchema>;

export type NewApiKey = {
  readonly keyId: string;
  readonly roles: readonly Role[];
  readonly client: string;
  readonly expiresAt: Date | null;
  readonly keyHash: Buffer;
  /** A person, who is created where the name is new, or an owner as free text. */
  readonly holder: { readonly identity: string } | { readonly owner: string };
};
