import { z } from 'zod';

/** The caller of a request: its roles, its person, and its client, to whom idempotency keys and transactions belong. */
export const ROLES = [
  'ingest',
  'analyst',
  'operator',
  'risk_officer',
  'admin',
  'auditor',
  'personal_data',
] as const;
export type Role = (typeof ROLES)[number];

/** Roles of a person who decides about what another person proposes. */
export const APPROVING_ROLES = ['risk_officer'] as const satisfies readonly Role[];

const time = z.iso.datetime();
const madeBy = z.string().nullable().meta({ description: 'Key id; null: made by DATABASE_URL.' });

/** People who own keys, as the store and the API have them. */
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

/** Roles that may read what these roles read: `auditor` reads everything but clear values, and changes its own sessions alone. */
export function withReaders(roles: readonly Role[]): readonly Role[] {
  const isClear = roles.every((role) => role === 'personal_data');
  return isClear || roles.includes('auditor') ? roles : [...roles, 'auditor'];
}

/** Only a person holds these roles, once a second person has confirmed the key. `admin` and a bootstrap key include none of them. */
export const ROLES_APART = [...APPROVING_ROLES, 'personal_data'] as const satisfies readonly Role[];
export const isApart = (role: Role): boolean => ROLES_APART.some((apart) => apart === role);

export type Principal = {
  readonly keyId: string;
  readonly client: string;
  readonly owner: string;
  /** The person who holds the key; null for a key that belongs to no person. */
  readonly identity: string | null;
  /** Roles in force; an approving role is left out until the key is confirmed. */
  readonly roles: ReadonlySet<Role>;
  /** The session of a browser; absent where the request has the key itself. */
  readonly sessionId?: string;
};

/** A key with any of these roles labels transactions of the whole market; any other key those of its own client. */
const MARKET_ROLES: readonly Role[] = ['analyst', 'admin'];
const MARKET_READERS = withReaders(MARKET_ROLES);

type Caller = Pick<Principal, 'roles' | 'client'>;
const within = (roles: readonly Role[], { roles: own, client }: Caller) =>
  roles.some((role) => own.has(role)) ? null : client;

/** The client whose transactions a key may read; null for the whole market. */
export const clientSeen = (caller: Caller): string | null => within(MARKET_READERS, caller);

/** The client whose transactions a key may label; null for the whole market. */
export const clientLabelled = (caller: Caller): string | null => within(MARKET_ROLES, caller);

/**
 * A name without regard to case and to forms of characters: spellings with the same folding are one person. It goes by way of
 * capitals, as some small letters share one (ς and σ) or have two (ß and SS).
 */
export const foldName = (name: string): string =>
  name.normalize('NFKC').trim().toLowerCase().toUpperCase().toLowerCase().normalize('NFKC');

/** The author of a change, and the request or command that makes the change. */
export type Actor = {
  /** The person, or `key of OWNER`; null for a command that has no key, which is recorded by its database role. */
  readonly name: string | null;
  readonly keyId: string | null;
  /** Id of the request, or name of the command or process. */
  readonly request: string;
};

/** Name of the engine where it acts by itself. No person may have this name. */
export const ENGINE = 'engine';
export const engineOf = (request: string): Actor => ({ name: ENGINE, keyId: null, request });

/** A person who may approve. */
export type Officer = Actor & { readonly name: string; readonly keyId: string };

/** An officer with the roles that are in force. */
export type Decider = Officer & Pick<Principal, 'roles'>;
