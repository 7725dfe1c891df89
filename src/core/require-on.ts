/** Refuses requests to a capability whose flag is off. */
import { Problem } from '../kit/http/answers/problem.ts';
import { nameOf, offOf, retryAfterSeconds } from './domain/control.ts';
import type { Flag } from './domain/corridor.ts';
import type { ControlWatch } from './store/controls/watch-controls.ts';

/** Undefined while the flag is on. */
export function refusalOf(
  controls: Pick<ControlWatch, 'current'>,
  flag: Flag,
): Problem | undefined {
  const off = offOf(controls.current(), flag);
  if (off === undefined) return undefined;
  const headers = { 'Retry-After': String(retryAfterSeconds(off, Date.now())) };
  return new Problem('scope-stopped', `The flag ${flag} is off (${nameOf(off)}).`, { headers });
}

/** @throws Problem where the flag is off */
export function requireOn(controls: Pick<ControlWatch, 'current'>, flag: Flag): void {
  const refusal = refusalOf(controls, flag);
  if (refusal !== undefined) throw refusal;
}
