/** Who calls: roles, and the client, whose are idempotency keys and transactions. */
export const ROLES = ['ingest', 'analyst', 'operator', 'risk_officer', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export type Principal = {
  readonly keyId: string;
  readonly client: string;
  readonly owner: string;
  readonly roles: ReadonlySet<Role>;
};

/** With any of them a key sees the market; a role that is missing here sees its client's. */
const MARKET_ROLES: readonly Role[] = ['analyst', 'operator', 'risk_officer', 'admin'];

/** The one client whose transactions a key reads and labels; null: all of the market. */
export function clientSeen({ roles, client }: Pick<Principal, 'roles' | 'client'>): string | null {
  return MARKET_ROLES.some((role) => roles.has(role)) ? null : client;
}
