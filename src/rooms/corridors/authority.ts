/** Decision authority: which role may make a change, and who else it needs. */
import {
  EMERGENCY,
  isFlagScope,
  isStricterScope,
  readOnlyScope,
} from '../../core/domain/switch.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import { Failure } from '../../kit/words/failure.ts';
import { type Decider, foldName, type Officer, type Role } from '../../kit/words/principal.ts';

type Authority = {
  readonly roles: readonly Role[];
  /** `other`: another person than the one who made the change that is taken back. */
  readonly person: 'any' | 'other';
};

const ANY_OF: readonly Role[] = ['operator', 'risk_officer', 'admin'];

/** Stopping is safe and urgent, so one person does it alone; a whole market goes on only when a second person agrees. */
export const AUTHORITY = {
  freeze: { roles: ANY_OF, person: 'any' },
  resume: { roles: ['risk_officer', 'admin'], person: 'other' },
  stop: { roles: ANY_OF, person: 'any' },
  'start a corridor, client, rule or model': { roles: ANY_OF, person: 'any' },
  'start market or all': { roles: ['risk_officer', 'admin'], person: 'other' },
  'approve a rollback': { roles: ['risk_officer', 'admin'], person: 'other' },
  'add a corridor': { roles: ['risk_officer', 'admin'], person: 'other' },
  'configure a corridor': { roles: ANY_OF, person: 'any' },
  'tighten a corridor': { roles: ANY_OF, person: 'any' },
  'end a tightening early': { roles: ['risk_officer', 'admin'], person: 'any' },
  'turn a flag off or on': { roles: ANY_OF, person: 'any' },
  'set or lower a limit': { roles: ANY_OF, person: 'any' },
  'raise or remove a limit': { roles: ANY_OF, person: 'other' },
} as const satisfies Readonly<Record<string, Authority>>;

export type Decision = keyof typeof AUTHORITY;

/** The decision that a change of a switch is. */
export function decisionOf(scope: string, isStopped: boolean): Decision {
  if (isFlagScope(scope)) return 'turn a flag off or on';
  if (isStricterScope(scope)) return isStopped ? 'tighten a corridor' : 'end a tightening early';
  if (isStopped) return 'stop';
  const isWide = ['all', 'market', EMERGENCY, readOnlyScope('market')].includes(scope);
  return isWide ? 'start market or all' : 'start a corridor, client, rule or model';
}

/** @throws Problem where none of the roles allows the decision */
export function requireAuthority(decision: Decision, { roles }: Pick<Decider, 'roles'>): void {
  const { roles: allowed } = AUTHORITY[decision];
  if (allowed.some((role) => roles.has(role))) return;
  throw new Problem('forbidden', `To ${decision} takes the role ${allowed.join(' or ')}.`);
}

/** @throws Failure where the decision takes another person than the one who made the first change */
export function requireOther(
  decision: Decision,
  { name }: Pick<Officer, 'name'>,
  first: { readonly scope: string; readonly by: string } | undefined,
): void {
  if (AUTHORITY[decision].person === 'any' || first === undefined) return;
  if (foldName(first.by) !== foldName(name)) return;
  const why =
    decision === 'raise or remove a limit' || decision === 'add a corridor'
      ? `the change of ${first.scope} was proposed by ${first.by}: another person sends it again`
      : `the scope ${first.scope} was closed by ${first.by}: another person opens it again`;
  throw new Failure('conflict', 'ANOTHER_PERSON', why);
}

export const DECIDING_ROLES = ANY_OF;
export const READING_ROLES = ['analyst', ...ANY_OF] as const;
