/** Scopes in words, and who may end a stop or a freeze. */
import type { Me, Stop } from '../../../../src/kit/client/api-types.ts';
import { has } from '../../api/me.ts';

const FREEZE = 'freeze:';

export const isFreeze = (scope: string) => scope.startsWith(FREEZE);

const THROTTLE = 'throttle:corridor:';

const WORDS: Readonly<Record<string, string>> = {
  ...{ corridor: 'The corridor', client: 'The client', key: 'The key' },
  ...{ rule: 'The rule', model: 'The model' },
};

/** `corridor:US-EG` and `freeze:corridor:US-EG` are the corridor US-EG. */
export function nameOf(scope: string): string {
  if (scope.startsWith(THROTTLE)) return `The throttle of ${scope.slice(THROTTLE.length)}`;
  const own = isFreeze(scope) ? scope.slice(FREEZE.length) : scope;
  if (own === 'all') return 'Every market';
  if (own === 'market') return 'The market';
  const [kind = '', name = ''] = own.split(/:(.*)/s);
  return `${WORDS[kind] ?? kind} ${name}`.trim();
}

/** Scopes of a whole market, and freezes: ending them takes another person, as the API decides (src/rooms/corridors/authority.ts). */
const WIDE = ['all', 'market', 'emergency', 'read-only:market'];

/** The people who may end a stop or a freeze, in words; undefined if the person logged in may. @param name of that person */
export function whoElseEnds({ scope, stopped_by: by }: Stop, me: Me, name: string) {
  const takesTwo = isFreeze(scope) || WIDE.includes(scope);
  if (!takesTwo) return undefined;
  if (by === name) return 'another person (risk officer or admin)';
  const mayDecide = has(me, 'risk_officer') || me.roles.includes('admin');
  return mayDecide ? undefined : 'a risk officer or an admin';
}
