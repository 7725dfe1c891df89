/** Decision authority: which role may make a change, and who else it needs. */
import { type Authority, SETTING_ROLES } from '../../core/domain/control-kinds.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import type { Decider } from '../../kit/words/principal.ts';

/** @throws Problem where none of the roles allows the decision */
export function requireAuthority(
  decision: string,
  { roles: allowed }: Authority,
  { roles }: Pick<Decider, 'roles'>,
): void {
  if (allowed.some((role) => roles.has(role))) return;
  throw new Problem('forbidden', `To ${decision} takes the role ${allowed.join(' or ')}.`);
}

export const DECIDING_ROLES = SETTING_ROLES;
export const READING_ROLES = ['analyst', ...SETTING_ROLES] as const;
