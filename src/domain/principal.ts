/** Who calls: roles, the person, and the client, whose are idempotency keys and transactions. */
export const ROLES = ['ingest', 'analyst', 'operator', 'risk_officer', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** Roles that approve are held by a person, once a second one has confirmed it. `admin` does not include them. */
export const APPROVING_ROLES = ['risk_officer'] as const satisfies readonly Role[];

export function approves(role: Role): boolean {
  return APPROVING_ROLES.some((approving) => approving === role);
}

export type Principal = {
  readonly keyId: string;
  readonly client: string;
  readonly owner: string;
  /** The person whose key it is; null for a key of nobody in particular. */
  readonly identity: string | null;
  /** Those in force: an approving role only where the person holds it. */
  readonly roles: ReadonlySet<Role>;
};

/** With any of them a key sees the market's transactions and scores; every other role sees its client's. */
const MARKET_ROLES: readonly Role[] = ['analyst', 'admin'];

/** The one client whose transactions a key reads and labels; null: all of the market. */
export function clientSeen({ roles, client }: Pick<Principal, 'roles' | 'client'>): string | null {
  return MARKET_ROLES.some((role) => roles.has(role)) ? null : client;
}

/** Who changes something, and on which occasion. */
export type Actor = {
  /** The person, or `key of OWNER`; null: whoever connects to the database. */
  readonly name: string | null;
  readonly keyId: string | null;
  /** Id of the request, or name of the command or process. */
  readonly request: string;
};

/** Acts where no person does; no key needs this name as its owner. */
export const ENGINE = 'engine';
export const engineOf = (request: string): Actor => ({ name: ENGINE, keyId: null, request });

/** A person who may approve. */
export type Officer = Actor & { readonly name: string; readonly keyId: string };
