/** Levels of degradation that people set: scopes in the row of switches. */
import { corridorScope, type Switches } from './switch.ts';

export const EMERGENCY = 'emergency';
const READ_ONLY = 'read-only:';
/** @param scope `market` or `corridor:US-EG` */
export const readOnlyScope = (scope: string) => READ_ONLY + scope;
export const isReadOnly = (scope: string) => scope.startsWith(READ_ONLY);

export const isLevelScope = (scope: string) => scope === EMERGENCY || isReadOnly(scope);

/** The widest scope that makes a corridor read-only, or the market where it is null. */
export function readOnlyOf({ stopped }: Switches, corridor: string | null): string | undefined {
  if (stopped.size === 0) return undefined;
  const scopes = ['market', ...(corridor === null ? [] : [corridorScope(corridor)])];
  return scopes.map(readOnlyScope).find((scope) => stopped.has(scope));
}

/** The level that people have set for a corridor, or for the market where it is null. */
export function levelByHand(switches: Switches, corridor: string | null): 0 | 3 | 4 {
  if (switches.stopped.has(EMERGENCY)) return 4;
  return readOnlyOf(switches, corridor) === undefined ? 0 : 3;
}
