/** Refuses requests to a capability whose flag is off. */
import { Problem } from '../kit/http/answers/problem.ts';
import { type Flag, offOf, retryAfterSeconds } from './domain/switch.ts';
import type { SwitchWatch } from './store/switches/switches.ts';

/** Undefined while the flag is on. */
export function refusalOf(switches: Pick<SwitchWatch, 'current'>, flag: Flag): Problem | undefined {
  const off = offOf(switches.current(), flag);
  if (off === undefined) return undefined;
  const headers = { 'Retry-After': String(retryAfterSeconds(off.stop, Date.now())) };
  return new Problem('scope-stopped', `The flag ${flag} is off (${off.scope}).`, { headers });
}

/** @throws Problem where the flag is off */
export function requireOn(switches: Pick<SwitchWatch, 'current'>, flag: Flag): void {
  const refusal = refusalOf(switches, flag);
  if (refusal !== undefined) throw refusal;
}
