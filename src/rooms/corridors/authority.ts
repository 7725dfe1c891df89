/** Decision authority: which role may make a change, and who else it needs. */
import { type Authority, SETTING_ROLES } from '../../core/domain/control-kinds.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import { Failure } from '../../kit/words/failure.ts';
import { type Decider, foldName, type Officer } from '../../kit/words/principal.ts';

/** @throws Problem where none of the roles allows the decision */
export function requireAuthority(
  decision: string,
  { roles: allowed }: Authority,
  { roles }: Pick<Decider, 'roles'>,
): void {
  if (allowed.some((role) => roles.has(role))) return;
  throw new Problem('forbidden', `To ${decision} takes the role ${allowed.join(' or ')}.`);
}

/** @throws Failure with the reason where the first person is the same */
export function requireOther({ name }: Pick<Officer, 'name'>, first: string, why: string): void {
  if (foldName(first) === foldName(name)) throw new Failure('conflict', 'ANOTHER_PERSON', why);
}

export const DECIDING_ROLES = SETTING_ROLES;
export const READING_ROLES = ['analyst', ...SETTING_ROLES] as const;
