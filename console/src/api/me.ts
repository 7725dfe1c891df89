/** The person who is logged in, and what the pages may show; the API itself decides what is allowed. */
import { useQuery } from '@tanstack/react-query';
import type { Me } from '../../../src/kit/client/api-types.ts';
import { ask } from './ask.ts';

export type Role = Me['roles'][number];

export const ME = ['me'] as const;

export function useMe() {
  return useQuery({
    queryKey: ME,
    queryFn: ({ signal }) => ask('GET /v1/me', {}, signal),
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** Whether a page is shown: `auditor` reads what any role reads. */
export const sees = (me: Me, ...roles: readonly Role[]): boolean =>
  me.roles.includes('auditor') || has(me, ...roles);

const APART: readonly Role[] = ['risk_officer', 'personal_data'];
/** Whether a person holds the role only once another person has confirmed the key. */
export const isApart = (role: Role): boolean => APART.includes(role);

/** `admin` has every role but those apart. */
export function has(me: Me, ...roles: readonly Role[]): boolean {
  return roles.some(
    (role) => me.roles.includes(role) || (!isApart(role) && me.roles.includes('admin')),
  );
}
