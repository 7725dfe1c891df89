/** Who calls: roles and the client name in which idempotency keys live. */
export const ROLES = ['ingest', 'analyst', 'operator', 'risk_officer', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export type Principal = {
  readonly keyId: string;
  readonly client: string;
  readonly owner: string;
  readonly roles: ReadonlySet<Role>;
};
