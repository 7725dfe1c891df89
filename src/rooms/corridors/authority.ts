/** Decision authority: which role may make a change, and who else it needs. */
import type { Role } from '../../kit/words/principal.ts';

type Authority = {
  readonly roles: readonly Role[];
  /** `other`: another person than the one who made the change that is taken back. */
  readonly person: 'any' | 'other';
};

const ANY_OF: readonly Role[] = ['operator', 'risk_officer', 'admin'];

/** Stopping is safe and urgent, so one person does it alone; a whole market goes on only when a second person agrees. */
export const AUTHORITY = {
  stop: { roles: ANY_OF, person: 'any' },
  'start corridor or client': { roles: ANY_OF, person: 'any' },
  'start market or all': { roles: ['risk_officer', 'admin'], person: 'other' },
} as const satisfies Readonly<Record<string, Authority>>;

export type Decision = keyof typeof AUTHORITY;

/** The decision that a change of a switch is. */
export function decisionOf(scope: string, isStopped: boolean): Decision {
  if (isStopped) return 'stop';
  return scope === 'all' || scope === 'market' ? 'start market or all' : 'start corridor or client';
}

export const DECIDING_ROLES = ANY_OF;
